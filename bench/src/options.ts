import { parseArgs } from "node:util";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";
import { type Launcher, launchers, toPeer } from "./targets.ts";

export type Options = {
  quick: boolean;
  rounds: number;
  scenarios: Scenario[];
  targets: Map<string, Launcher>;
  standInPort: number | undefined;
  json: string | undefined;
};

export const USAGE = `bench [--quick] [--rounds N] [--only ${scenarios.map(({ name }) => name).join(",")}]
      [--targets direct,floor,gateway] [--json FILE]
      [--target url,token,model[,pid] --stand-in-port N]   another server, as one more column`;

/** Throws with what is wrong: a misspelt name must not quietly measure less. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string" },
      targets: { type: "string", default: "direct,floor,gateway" },
      target: { type: "string" },
      "stand-in-port": { type: "string" },
      json: { type: "string" },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds needs a whole number from 1");
  const port = values["stand-in-port"];
  if (values.target && !port) throw new Error("--target needs the --stand-in-port that the server was given");
  const targets = new Map(
    values.targets.split(",").map((name) => [name, pick(launchers[name], "target", name)] as const),
  );
  if (values.target) targets.set("peer", toPeer(values.target));
  return {
    quick: values.quick,
    rounds,
    scenarios:
      values.only?.split(",").map((name) =>
        pick(
          scenarios.find((one) => one.name === name),
          "scenario",
          name,
        ),
      ) ?? scenarios,
    targets,
    standInPort: port === undefined ? undefined : Number(port),
    json: values.json,
  };
}

function pick<Thing>(thing: Thing | undefined, kind: string, name: string): Thing {
  if (!thing) throw new Error(`no such ${kind}: ${name}`);
  return thing;
}
