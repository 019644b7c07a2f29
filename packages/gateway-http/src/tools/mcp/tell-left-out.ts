import type { LeftOut } from "./to-tools.ts";

/** Between two lines about one server: some change their list all the time. */
const PAUSE_MS = 60_000;
const NAME_CHARACTERS = 100;

interface Line {
  readonly examples: readonly string[];
  readonly count: number;
}

/** Tells which tools of a server are left out: one line for a list, with an example of each reason. */
export function createLeftOutTeller(
  log: (level: "warn", fields: object, message: string) => void,
): (server: string, leftOut: readonly LeftOut[]) => void {
  const told = new Map<string, { line: string; at: number }>();

  return (server, leftOut) => {
    const before = told.get(server);
    const { count, examples } = toLine(leftOut);
    const line = JSON.stringify([count, examples]);
    if (line === before?.line) return;
    const now = performance.now();
    if (count === 0) {
      // The next list with such tools is another one.
      if (before) told.set(server, { line, at: before.at });
    } else if (before === undefined || now - before.at >= PAUSE_MS) {
      told.set(server, { line, at: now });
      log("warn", { server, count, examples }, "tools of an MCP server are left out");
    }
  };
}

function toLine(leftOut: readonly LeftOut[]): Line {
  // Of two of one reason the last one that is set stays: backwards, the first of the list.
  const ofReasons = new Map(leftOut.toReversed().map((one) => [one.reason, toExample(one)]));
  return { count: leftOut.length, examples: [...ofReasons.values()] };
}

function toExample({ tool, reason }: LeftOut): string {
  return `${tool.slice(0, NAME_CHARACTERS).toWellFormed()}: ${reason}`;
}
