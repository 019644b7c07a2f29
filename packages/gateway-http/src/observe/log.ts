import { createRequire } from "node:module";
import pino, { type Logger } from "pino";
import { redactLine } from "./redact-line.ts";
import { createLineWriter } from "./write-lines.ts";

/** Loaded only for a person's eyes: a service in production starts without it. */
const loadPretty = () => createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");

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
  const write = createLineWriter((lost) => log.warn({ lost }, "lines of the log were lost: nobody read them"));
  const options = { level, base: null, hooks: { streamWrite: (line: string) => redactLine(line, redact) } };
  const log = isPretty
    ? pino(options, { write: prettyWriter(write, isTerminal) })
    : pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, { write });
  return log;
}

/** Without streams in between: they would gather what nobody reads. */
function prettyWriter(write: (line: string) => void, colorize: boolean): (line: string) => void {
  const toPretty = loadPretty().prettyFactory({ colorize, ignore: "pid,hostname" });
  return (line) => write(toPretty(line));
}
