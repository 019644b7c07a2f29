import { createRequire } from "node:module";
import pino, { type Logger } from "pino";
import { redactLine } from "./redact-line.ts";

/** Loaded only for a person's eyes: a service in production starts without it. */
const loadPretty = () => createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");

/** Bytes that wait when standard error takes none. What comes then is lost. */
const MAX_BACKLOG = 1024 * 1024;

export type Log = Logger;

export interface LogOptions {
  level: string;
  /** Absent: pretty on a terminal, JSON elsewhere. */
  format?: "pretty" | "json" | undefined;
  /** Every line goes through it, whoever wrote it. */
  redact(text: string): string;
}

/** Writes to standard error: standard output belongs to what a person asked for. */
export function createLog({ level, format, redact }: LogOptions): Log {
  const isTerminal = process.stderr.isTTY === true;
  const isPretty = format === undefined ? isTerminal : format === "pretty";
  const destination = pino.destination({ dest: 2, sync: true, maxLength: MAX_BACKLOG });
  // A full disk costs lines of the log. Without a listener it would cost the process.
  destination.on("error", () => {});
  const options = { level, base: null, hooks: { streamWrite: (line: string) => redactLine(line, redact) } };
  return isPretty
    ? pino(options, loadPretty()({ destination, colorize: isTerminal, ignore: "pid,hostname" }))
    : pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
