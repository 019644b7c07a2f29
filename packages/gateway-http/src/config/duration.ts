/** Of a longer delay Node's timers make one millisecond (about 24.8 days). */
export const MAX_TIMER_MS = 2 ** 31 - 1;

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Milliseconds of a duration written as a whole number and a unit (`500ms`, `30s`, `15m`, `12h`, `30d`); `undefined`
 * when `text` is no such duration. Units may not be left out: whether a bare `30` means seconds or milliseconds is
 * what people get wrong.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return undefined;
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return Number.isSafeInteger(ms) ? ms : undefined;
}
