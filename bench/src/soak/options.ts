import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export type SoakOptions = {
  minutes: number;
  warmUpSeconds: number;
  streams: number;
  /** Tokens a second of one stream. */
  pace: number;
  seed: string;
  /** The built command line. */
  cli: string;
};

export const USAGE = `soak [--minutes 10] [--warm-up 60] [--streams 2000] [--pace 1] [--seed TEXT] [--cli FILE]`;

const CLI = fileURLToPath(new URL("../../../packages/gateway-http/dist/cli.js", import.meta.url));

/** Throws with what is wrong. */
export function readSoakOptions(args: string[]): SoakOptions {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      minutes: { type: "string", default: "10" },
      "warm-up": { type: "string", default: "60" },
      streams: { type: "string", default: "2000" },
      pace: { type: "string", default: "1" },
      seed: { type: "string" },
      cli: { type: "string", default: CLI },
    },
  });
  return {
    minutes: number("minutes", values.minutes, 0.1, 24 * 60),
    warmUpSeconds: number("warm-up", values["warm-up"], 5, 600),
    streams: number("streams", values.streams, 10, 10_000),
    pace: number("pace", values.pace, 1, 100),
    seed: values.seed ?? new Date().toISOString(),
    cli: values.cli,
  };
}

function number(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (!(value >= low && value <= high)) throw new Error(`--${name} needs a number from ${low} to ${high}`);
  return value;
}
