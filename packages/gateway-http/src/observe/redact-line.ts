import { isJson } from "../errors/is-json.ts";

/**
 * A line of the log without its secrets, and still JSON: a secret like `1234` may stand in a number, where `***` would
 * break the line. Pure.
 */
export function redactLine(line: string, redact: (text: string) => string): string {
  const clean = redact(line);
  return clean === line || isJson(clean)
    ? clean
    : `${JSON.stringify(JSON.parse(line, (_, value) => scrub(value, redact)))}\n`;
}

function scrub(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "number") return value;
  const text = String(value);
  const clean = redact(text);
  return clean === text ? value : clean;
}
