import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { toAskText } from "../ask.ts";
import type { Account } from "./account.ts";
import { type ConfigFile, KEYS, passingToken, RESUME_MS, SLOW_CLIENT_MS } from "./config.ts";
import { type Answer, type Call, exchange, type Reader } from "./exchange.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { TOKEN } from "./gateway.ts";
import { type Random, seeded } from "./random.ts";

export type Stage = {
  port: number;
  pace: number;
  account: Account;
  config: ConfigFile;
  /** Sessions that callers share. */
  sessions: number;
  /** Nothing new begins after. */
  isOver(): boolean;
};

const KINDS = { whole: 50, left: 14, keyed: 12, session: 10, fault: 8, tools: 3, changing: 3 };
const CALLERS = { operator: 60, ann: 25, busy: 5, passing: 10 };
const MAX_TOKENS = 40;
const SESSION_TOKENS = 6;

/** What each caller may be refused with, whatever it asks for. */
const REFUSALS: Record<keyof typeof CALLERS, readonly string[]> = {
  operator: [],
  ann: [],
  busy: ["rate_limit_exceeded"],
  // Its key is revoked while it runs, or was before it asked.
  passing: ["invalid_api_key", "run_aborted", "too_many_failed_attempts"],
};

/** One caller after another in the same place, each with a stream, until it is over. */
export async function keepStreaming(stage: Stage, seed: string): Promise<void> {
  const random = seeded(seed);
  while (!stage.isOver()) {
    const caller = random.draw(CALLERS);
    const token = { operator: TOKEN, ...KEYS, passing: passingToken(stage.config.generation) }[caller];
    const kind = random.draw(KINDS);
    const isGood = await STREAMS[kind](stage, random, token, REFUSALS[caller]);
    if (!isGood) await sleep(random.between(200, 1500));
  }
}

type Stream = (stage: Stage, random: Random, token: string, refusals: readonly string[]) => Promise<boolean>;

const STREAMS: Record<keyof typeof KINDS, Stream> = {
  async whole(stage, random, token, refusals) {
    const tokens = random.between(3, MAX_TOKENS);
    const answer = await exchange(stage.port, toCall(token, { tokens, pace: stage.pace }));
    return isWhole(stage, "whole", answer, tokens, refusals);
  },
  async left(stage, random, token, refusals) {
    const reader = { leaveAfter: random.between(1, 10) };
    const answer = await exchange(stage.port, toCall(token, { tokens: MAX_TOKENS, pace: stage.pace }), reader);
    return stage.account.judge("left", answer, ["left", ...refusals]) === "left";
  },
  keyed: (stage, random) => comeBack(stage, random, random.pick([TOKEN, KEYS.ann])),
  async session(stage, random) {
    const tokens = random.between(1, SESSION_TOKENS);
    const headers = { "x-openclaw-session-key": `soak-${random.between(1, stage.sessions)}` };
    const reader: Reader = random.between(1, 10) === 1 ? { leaveAfter: 1 } : {};
    const answer = await exchange(stage.port, toCall(TOKEN, { tokens, pace: stage.pace }, { headers }), reader);
    return isWhole(stage, "session", answer, tokens, ["left", "queue_full", "run_aborted"]);
  },
  async fault(stage, random, token, refusals) {
    const fault = random.pick(Object.keys(FAULTS) as Fault[]);
    const answer = await exchange(stage.port, toFaultCall(token, fault, true));
    // A key for one agent only.
    const allowed = [...FAULTS[fault], ...refusals, ...(refusals.includes("run_aborted") ? ["agent_not_allowed"] : [])];
    return allowed.includes(stage.account.judge(`fault ${fault}`, answer, allowed));
  },
  async tools(stage, random) {
    const tokens = random.between(3, 10);
    const call = toCall(TOKEN, { tokens, pace: stage.pace }, { model: "openclaw/handy", text: "call=1" });
    return isWhole(stage, "tools", await exchange(stage.port, call), tokens, []);
  },
  async changing(stage, random) {
    const tokens = random.between(3, 10);
    const model = `openclaw/changing-${random.between(0, 2)}`;
    const answer = await exchange(stage.port, toCall(TOKEN, { tokens, pace: stage.pace }, { model }));
    return isWhole(stage, "changing", answer, tokens, ["model_not_found"]);
  },
};

/** Loses its connection again and again, and has every event once in the end. */
async function comeBack(stage: Stage, random: Random, token: string): Promise<boolean> {
  const { port, account } = stage;
  const tokens = random.between(8, MAX_TOKENS);
  const key = randomUUID();
  const call = toCall(token, { tokens, pace: stage.pace }, { headers: { "idempotency-key": key } });
  const first = await exchange(port, call, { leaveAfter: random.between(1, 6) });
  if (account.judge("keyed", first, ["left"]) !== "left") return false;
  let { content } = first;
  const ids = [...first.ids];
  let leftAt = performance.now();
  for (let round = 0; ; round++) {
    await sleep(random.between(0, 1500));
    const headers = { ...call.headers, "last-event-id": ids.at(-1) ?? "" };
    const next = await exchange(port, { ...call, headers }, round < 2 ? { leaveAfter: random.between(1, 8) } : {});
    content += next.content;
    ids.push(...next.ids);
    // On a machine with much else to do the way back may take longer than the run is kept for.
    const tooLate = performance.now() - leftAt > RESUME_MS ? ["run_aborted", "resume_lost"] : [];
    const outcome = account.judge("keyed, back", next, ["left", "whole", ...tooLate]);
    leftAt = performance.now();
    if (outcome === "whole") break;
    if (outcome !== "left") return false;
  }
  const gap = ids.findIndex((id, index) => index > 0 && Number(id.split(":")[1]) !== toNumber(ids[index - 1]) + 1);
  if (gap > 0) account.violate("keyed: events lost or doubled", `${ids[gap - 1]} then ${ids[gap]}`);
  if (countTokens(content) !== tokens) account.violate("keyed: not all tokens", `${countTokens(content)} of ${tokens}`);
  if (random.between(1, 3) > 1) return true;
  const again = await exchange(port, call);
  account.judge("keyed, replayed", again, ["whole"]);
  if (again.content !== content) account.violate("keyed: another answer when replayed", key);
  return true;
}

function toNumber(id: string | undefined): number {
  return Number(id?.split(":")[1]);
}

/** Reads nothing of a flood until the gateway must have cut it, and then sees that it was cut. */
export async function keepStalling(stage: Stage): Promise<void> {
  while (!stage.isOver()) {
    const call = toCall(TOKEN, { tokens: 0, pace: 0 }, { text: "flood=1" });
    const answer = await exchange(stage.port, call, { stallMs: SLOW_CLIENT_MS * 3 });
    stage.account.judge("stalled", answer, ["cut"]);
  }
}

/** Reads slowly, but reads: it gets everything. */
export async function keepDawdling(stage: Stage): Promise<void> {
  while (!stage.isOver()) {
    const tokens = 20_000;
    const answer = await exchange(stage.port, toCall(TOKEN, { tokens, pace: 0 }), { restMs: 150 });
    isWhole(stage, "dawdling", answer, tokens, []);
  }
}

function isWhole(
  { account }: Stage,
  kind: string,
  answer: Answer,
  tokens: number,
  refusals: readonly string[],
): boolean {
  const outcome = account.judge(kind, answer, ["whole", ...refusals]);
  if (outcome !== "whole") return false;
  // What waits for its session's turn, or for a tool, says nothing of the gateway.
  if (kind === "whole") account.firstTokens.push(answer.firstMs);
  const got = countTokens(answer.content);
  if (got !== tokens) account.violate(`${kind}: not all tokens`, `${got} of ${tokens}`);
  return true;
}

function countTokens(content: string): number {
  return content.match(/t\d+;/g)?.length ?? 0;
}

type Extra = { headers?: Record<string, string>; model?: string; text?: string; stream?: boolean };

function toCall(token: string, ask: { tokens: number; pace: number }, extra: Extra = {}): Call & { headers: object } {
  const { headers = {}, model = "openclaw", text = "", stream = true } = extra;
  const content = `${toAskText(ask)} ${text}`;
  return { token, headers, body: { model, stream, messages: [{ role: "user", content }] } };
}

export function toFaultCall(token: string, fault: Fault, stream: boolean): Call {
  const model = fault === "refused" ? "openclaw/refused" : "openclaw";
  return toCall(token, { tokens: 5, pace: 0 }, { model, stream, text: `fault=${fault}` });
}
