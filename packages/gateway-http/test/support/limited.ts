import OpenAI from "openai";
import { expect } from "vitest";
import type { Agent, ConfigInput } from "../../src/index.ts";
import { hi } from "./chat.ts";
import { doorman } from "./doorman.ts";
import { startGateway, TOKEN } from "./start-gateway.ts";

const tokenOf = (id: string) => `key-of-${id}-0123456789`;
export const bearer = (id: string) => ({ authorization: `Bearer ${tokenOf(id)}` });
export const say = (content: string, more = {}) => hi({ messages: [{ role: "user", content }], ...more });

interface Limits {
  concurrentRuns?: number;
  queuedRuns?: number;
  queueTimeoutMs?: number;
}

/** Of all callers, and of keys `a` and `b`. */
export const toConfig = (all: Limits, keys: { a?: number; b?: number } = {}): ConfigInput => ({
  logging: { level: "silent" },
  gateway: {
    limits: { queueTimeoutMs: 60_000, ...all },
    auth: {
      mode: "token",
      token: TOKEN,
      keys: Object.entries(keys).map(([id, concurrentRuns]) => ({
        id,
        token: tokenOf(id),
        limits: { concurrentRuns },
      })),
    },
    http: { endpoints: { chatCompletions: { enabled: true } } },
  },
});

/** A gateway whose runs wait to be let go, and what asks it. */
export async function startLimited(config: ConfigInput, more: Agent[] = []) {
  const door = doorman();
  const started = await startGateway({ agents: [door.agent, ...more], config });
  const client = (id?: string, options: ConstructorParameters<typeof OpenAI>[0] = {}) =>
    new OpenAI({ baseURL: `${started.url}/v1`, apiKey: id ? tokenOf(id) : TOKEN, maxRetries: 0, ...options });
  /** Settles once this many runs are under way or waiting. */
  const reach = (runs: number) => expect.poll(() => started.gateway.runs.active, { timeout: 10_000 }).toBe(runs);
  return { ...started, door, client, reach };
}

export const toSdk = (content: string) => ({ model: "openclaw", messages: [{ role: "user" as const, content }] });
/** What it failed with. */
export const failure = (promise: PromiseLike<unknown>) =>
  promise.then(
    () => expect.unreachable("it was served"),
    (error) => error,
  );
