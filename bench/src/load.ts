/**
 * The load client: runs one scenario against one target and prints one JSON line. It talks to 127.0.0.1 only, and its
 * deadline is its own, so that no load goes on when nobody waits for it.
 */
import { runFirstToken } from "./load/first-token.ts";
import { runFlatOut } from "./load/flat-out.ts";
import { runHeld, runStalled } from "./load/held.ts";
import { type Figures, type Job, LoadClient } from "./load/load-client.ts";
import { runManySessions } from "./load/many-sessions.ts";
import { runBurst, runPaced } from "./load/paced.ts";
import { runSession } from "./load/session.ts";
import { runSockets } from "./load/sockets.ts";
import { runSync } from "./load/sync.ts";

/** What one scenario against one target came to. */
export type Outcome = { figures: Figures; expected: number; received: number; failures: string[] };

// biome-ignore lint/suspicious/noExplicitAny: the plan of each scenario comes from scenarios.ts, where it has its type
const scenarios: Record<string, (client: LoadClient, plan: any) => Promise<Figures>> = {
  "flat-out": runFlatOut,
  paced: runPaced,
  "flat-out-tools": runFlatOut,
  "paced-tools": runPaced,
  "first-token": runFirstToken,
  burst: runBurst,
  json: runFlatOut,
  held: runHeld,
  stalled: runStalled,
  session: runSession,
  sync: runSync,
  "many-sessions": runManySessions,
  sockets: runSockets,
};

const job = JSON.parse(process.argv[2] ?? "{}") as Job;
const client = new LoadClient(job);
const run = scenarios[job.scenario];
if (!run) throw new Error(`no such scenario: ${job.scenario}`);

setTimeout(() => {
  client.failures.unshift(`not done after ${job.deadlineMs} ms`);
  finish({});
}, job.deadlineMs);

process.on("disconnect", () => process.exit());
finish(await run(client, job.plan));

function finish(figures: Figures): void {
  const { expected, received } = client;
  const outcome: Outcome = { figures, expected, received, failures: client.failures };
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit());
}
