import { createRequire } from "node:module";
import pino, { type Logger } from "pino";

/** Loaded only for a person's eyes: a service in production starts without it. */
const loadPretty = () => createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");

export type Log = Logger;

export interface LogOptions {
  level: string;
  /** Absent: pretty on a terminal, JSON elsewhere. */
  format?: "pretty" | "json" | undefined;
}

/** Writes to standard error: standard output belongs to what a person asked for. */
export function createLog({ level, format }: LogOptions): Log {
  const isPretty = format === undefined ? process.stderr.isTTY === true : format === "pretty";
  const options = { level, base: null };
  return isPretty
    ? pino(
        options,
        loadPretty()({ destination: 2, colorize: process.stderr.isTTY === true, ignore: "pid,hostname", sync: true }),
      )
    : pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}
