const UNITS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
] as const;

const format = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });

/** How long ago, as a person says it. */
export function toAge(seconds: number): string {
  const largest = UNITS.find((unit) => seconds >= unit.seconds);
  return largest ? format.format(-Math.floor(seconds / largest.seconds), largest.unit) : "just now";
}
