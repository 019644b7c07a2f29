import { setTimeout as sleep } from "node:timers/promises";
import { toAskText } from "../ask.ts";
import { KEYS, passingToken } from "./config.ts";
import { type Stage, toFaultCall } from "./crowd.ts";
import { exchange } from "./exchange.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { TOKEN } from "./gateway.ts";
import { readGauges } from "./gauges.ts";
import { seeded } from "./random.ts";

/** How long a changed file may take to apply; the machine is busy. */
const APPLIES_MS = 10_000;

/** Answers in one piece, stored ones among them, and what a provider does wrong then. */
export async function keepAsking({ port, account, isOver }: Stage, seed: string): Promise<void> {
  const random = seeded(seed);
  while (!isOver()) {
    await sleep(random.between(100, 600));
    if (random.between(1, 5) === 1) {
      const fault = random.pick(Object.keys(FAULTS) as Fault[]);
      const answer = await exchange(port, { ...toFaultCall(TOKEN, fault, false), reuse: true });
      account.judge(`JSON fault ${fault}`, answer, FAULTS[fault]);
      continue;
    }
    const store = random.between(1, 3) === 1;
    const messages = [{ role: "user", content: toAskText({ tokens: 20 }) }];
    const call = { token: KEYS.ann, body: { model: "openclaw", store, messages }, reuse: true };
    const answer = await exchange(port, call);
    if (account.judge("JSON", answer, ["whole"]) !== "whole") continue;
    account.requests.push(answer.ms);
    if (!store) continue;
    const path = `/v1/chat/completions/${JSON.parse(answer.text).id}`;
    account.judge("stored, read", await exchange(port, { token: KEYS.ann, path, reuse: true }), ["whole"]);
    account.judge("stored, another's", await exchange(port, { token: TOKEN, path, reuse: true }), ["not_found"]);
    const gone = await exchange(port, { token: KEYS.ann, path, method: "DELETE", reuse: true });
    account.judge("stored, deleted", gone, ["whole"]);
  }
}

/** Reads and changes sessions beside those who talk in them. */
export async function keepBrowsing({ port, account, sessions, isOver }: Stage, seed: string): Promise<void> {
  const random = seeded(seed);
  while (!isOver()) {
    await sleep(random.between(200, 800));
    const key = `/v1/sessions/${encodeURIComponent(`agent:main:soak-${random.between(1, sessions)}`)}`;
    const chance = random.between(1, 40);
    const [kind, call, allowed] =
      chance === 1
        ? (["session, deleted", { path: key, method: "DELETE" }, ["whole", "not_found", "session_busy"]] as const)
        : chance === 2
          ? (["session, aborted", { path: `${key}/abort`, method: "POST" }, ["whole", "not_found"]] as const)
          : random.pick([
              ["models", { path: "/v1/models" }, ["whole"]],
              ["sessions", { path: `/v1/sessions?limit=${random.between(1, 100)}` }, ["whole"]],
              ["session", { path: key }, ["whole", "not_found"]],
              ["session, messages", { path: `${key}/messages` }, ["whole", "not_found"]],
              ["another's session", { path: key, token: KEYS.ann }, ["not_found"]],
            ] as const);
    account.judge(kind, await exchange(port, { token: TOKEN, reuse: true, ...call }), allowed);
  }
}

/** Looks at it as monitoring does. */
export async function keepWatching({ port, account, isOver }: Stage): Promise<void> {
  while (!isOver()) {
    await sleep(2000);
    for (const path of ["/metrics", "/status", "/healthz", "/readyz", "/openapi.json"]) {
      account.judge(path, await exchange(port, { token: TOKEN, path, reuse: true }), ["whole"]);
    }
    account.judge("/metrics with a key", await exchange(port, { token: KEYS.ann, path: "/metrics" }), [
      "missing_scope",
    ]);
    const gauges = await readGauges(port);
    if (gauges.size === 0) account.violate("no openclaw_* gauge is told");
  }
}

/** Rewrites the config: each time a key goes and another comes, and now and then the file is broken for a moment. */
export async function keepReconfiguring({ port, account, config, isOver }: Stage): Promise<void> {
  while (!isOver()) {
    await sleep(6000);
    const before = config.generation;
    if (before % 3 === 2) {
      config.spoil();
      await sleep(1500);
      const answer = await exchange(port, { token: passingToken(before), path: "/v1/models" });
      account.judge("broken config, old key", answer, ["whole"]);
      config.mend();
    }
    config.advance();
    const giveUpAt = performance.now() + APPLIES_MS;
    const isIn = async (generation: number) =>
      (await exchange(port, { token: passingToken(generation), path: "/v1/models" })).status === 200;
    while (!(await isIn(before + 1)) && performance.now() < giveUpAt) await sleep(100);
    const [isNewIn, isOldIn] = [await isIn(before + 1), await isIn(before)];
    account.count("config", isNewIn && !isOldIn ? "applied" : "not applied");
    if (!isNewIn) account.violate("a new key is not let in", `generation ${before + 1}`);
    if (isOldIn) account.violate("a revoked key is let in", `generation ${before}`);
  }
}
