/**
 * The soak: the built gateway with everything in use, for minutes on end: thousands of streams that come and go,
 * clients that leave, stall, come back and misbehave, a provider that fails in every way, a config that changes. Fails
 * when a stream ended in a way it must not, when an error is not in the log, or when memory, sockets or gauges are not
 * back where they were. It talks to 127.0.0.1 only and ends by itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "./load/load-client.ts";
import { readDrops, readOpenFileLimit } from "./proc-stats.ts";
import { Account } from "./soak/account.ts";
import { ConfigFile } from "./soak/config.ts";
import { keepDawdling, keepStalling, keepStreaming, type Stage } from "./soak/crowd.ts";
import { closeIdleConnections } from "./soak/exchange.ts";
import { startGateway } from "./soak/gateway.ts";
import { keepGuessing, keepMisbehaving } from "./soak/hostile.ts";
import { compareReadings, readAtRest, toMib } from "./soak/meters.ts";
import { readSoakOptions, USAGE } from "./soak/options.ts";
import { startProvider } from "./soak/provider.ts";
import { keepAsking, keepBrowsing, keepReconfiguring, keepWatching } from "./soak/visitors.ts";

const options = readOrExit();
const account = new Account();
let mostOpen = 0;
const drops = readDrops();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
/** The crowd comes over this long: a stream has a second to itself, and so they do not all speak at once. */
const ARRIVAL_MS = 20_000;
/** The last streams may end, and all be measured. */
const MARGIN_MS = 240_000;
setTimeout(
  () => {
    account.violate("not done in time");
    finish();
  },
  options.warmUpSeconds * 1000 + options.minutes * 60_000 + 2 * MARGIN_MS,
);

const provider = await startProvider();
let config: ConfigFile | undefined;
const gateway = await startGateway(options.cli, (folder) => {
  config = new ConfigFile(folder, provider.port);
  return config.path;
});
console.log(`seed "${options.seed}", ${options.streams} streams, ${options.minutes} minutes; gateway ${gateway.pid}`);

await visit("warm-up", options.warmUpSeconds * 1000);
const start = await readAtRest(gateway, provider, account);
tell("at rest", start);
await visit("soak", options.minutes * 60_000);
const end = await readAtRest(gateway, provider, account);
tell("at rest", end);
compareReadings(start, end, account);
if (gateway.death !== null) account.violate("the gateway died", gateway.death);
const exitCode = await gateway.stop();
if (exitCode !== 0) account.violate("the gateway did not stop cleanly", `exit code ${exitCode}`);
const told = account.compare(gateway.log);
for (const alarm of gateway.log.alarms) account.violate("a line of the log", alarm);
finish();

/** The whole crowd, until the time is over and the last of them has gone. */
async function visit(name: string, millis: number): Promise<void> {
  const overAt = performance.now() + millis;
  const isOver = () => performance.now() > overAt || gateway.death !== null;
  const sessions = Math.max(5, Math.round(options.streams / 40));
  const { port } = gateway;
  const stage: Stage = { port, pace: options.pace, account, config: config as ConfigFile, sessions, isOver };
  const seed = (what: string, index = 0) => `${options.seed} ${name} ${what} ${index}`;
  const many = (count: number, visitor: (index: number) => Promise<void>) =>
    Array.from({ length: count }, (_, index) => visitor(index));
  const peak = setInterval(() => {
    mostOpen = Math.max(mostOpen, provider.open);
  }, 500);
  const curve = setInterval(async () => tell(name, await gateway.read(false)), 30_000);
  await Promise.all([
    ...many(options.streams, async (index) => {
      await sleep((Math.min(ARRIVAL_MS, millis / 3) * index) / options.streams);
      await keepStreaming(stage, seed("stream", index));
    }),
    ...many(3, () => keepStalling(stage)),
    ...many(2, () => keepDawdling(stage)),
    ...many(4, (index) => keepAsking(stage, seed("asking", index))),
    ...many(2, (index) => keepBrowsing(stage, seed("browsing", index))),
    ...many(2, (index) => keepMisbehaving(stage, seed("misbehaving", index))),
    keepGuessing(stage, seed("guessing")),
    keepWatching(stage),
    keepReconfiguring(stage),
  ]);
  clearInterval(curve);
  clearInterval(peak);
  closeIdleConnections();
}

function tell(name: string, { heap, external, native, rss, handles }: typeof start): void {
  const seconds = Math.round(performance.now() / 1000);
  const sockets = handles.TCPSocketWrap ?? 0;
  console.log(
    `${String(seconds).padStart(5)} s  ${name.padEnd(8)} heap ${toMib(heap)}  external ${toMib(external)}  native ${toMib(native)}  RSS ${toMib(rss)} MiB  ${sockets} sockets, ${provider.open} at the provider`,
  );
}

function finish(): never {
  console.log("\noutcomes");
  for (const [kind, outcome, count] of account.outcomes()) {
    console.log(`  ${kind.padEnd(24)} ${outcome.padEnd(28)} ${count}`);
  }
  const line = (name: string, values: number[]) =>
    `  ${name}: p50 ${quantile(values, 0.5).toFixed(0)} ms, p99 ${quantile(values, 0.99).toFixed(0)} ms (${values.length})`;
  console.log(`  at most ${mostOpen} answers of the provider's at a time`);
  console.log(`  connections that found a full queue, on all of the machine: ${readDrops() - drops}`);
  console.log(line("first token", account.firstTokens));
  console.log(line("JSON answer", account.requests));
  console.log(`  log: ${[...gateway.log.counts].map(([message, count]) => `${count} ${message}`).join(", ")}`);
  for (const [rule, { count, example }] of account.violations)
    console.log(`VIOLATION ${count}× ${rule}\n    ${example}`);
  const verdict = account.violations.size === 0 ? `Nothing was lost; ${told} errors, all in the log.` : "FAILED";
  console.log(verdict);
  process.exit(account.violations.size === 0 ? 0 : 1);
}

function readOrExit() {
  try {
    const read = readSoakOptions(process.argv.slice(2));
    const needed = read.streams * 2 + 500;
    if (readOpenFileLimit() < needed) throw new Error(`needs ${needed} open files: raise it with \`ulimit -n\``);
    return read;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}
