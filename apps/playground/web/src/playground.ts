import { type Client, createClient } from "@openclaw/client";
import { createStore, type Store } from "./store.ts";
import { type AgentChoice, toAgentChoices } from "./talk/agents.ts";
import { type Problem, toProblem } from "./talk/problem.ts";
import { createTalk, type Talk } from "./talk/talk.ts";
import { createFrameLog, type FrameLog } from "./wire/frame-log.ts";
import { tapFetch } from "./wire/tap-fetch.ts";

interface ConnectionState {
  /** `locked`: the gateway wants a token, or another one. `down`: it did not answer. */
  readonly status: "connecting" | "ready" | "locked" | "down";
  readonly agents: readonly AgentChoice[];
  /** What the next request says as `model`. */
  readonly model: string;
  readonly hasToken: boolean;
  readonly problem: Problem | undefined;
}

/** Everything the page knows and does, without a pixel of it. */
export interface Playground {
  readonly baseUrl: string;
  readonly connection: Store<ConnectionState>;
  readonly talk: Talk;
  readonly frames: FrameLog;
  readonly draft: Store<{ text: string }>;
  /** Asks the gateway who is there, with this token or, without one, as nobody. */
  connect(token: string | undefined): Promise<void>;
  /** The same once more. */
  reconnect(): Promise<void>;
  send(): Promise<void>;
}

export interface PlaygroundOptions {
  baseUrl: string;
  /** Told of a token that the gateway took, and of one that it did not (`undefined`). */
  keepToken(token: string | undefined): void;
}

export function createPlayground({ baseUrl, keepToken }: PlaygroundOptions): Playground {
  const now = () => performance.now();
  const connection = createStore<ConnectionState>({
    status: "connecting",
    agents: [],
    model: "openclaw",
    hasToken: false,
    problem: undefined,
  });
  const draft = createStore({ text: "" });
  const frames = createFrameLog({ now });
  const fetch = tapFetch((url, init) => globalThis.fetch(url, init), frames);
  let client: Client;
  let lastAttempt = 0;
  let lastToken: string | undefined;
  let connecting: Promise<void> | undefined;

  // The problem itself stands in the talk.
  const lock = (problem: Problem) => {
    if (problem.wantsToken) connection.set({ status: "locked", problem: undefined });
  };
  const talk = createTalk({ client: () => client, frames, now, onProblem: lock });

  async function tryToConnect(token: string | undefined): Promise<void> {
    const attempt = ++lastAttempt;
    lastToken = token;
    const hasToken = token !== undefined;
    try {
      // No retries: a failure is to be seen when it happens.
      client = createClient({ baseUrl, fetch, maxRetries: 0, ...(hasToken && { token }) });
      const agents = toAgentChoices(await client.models.list());
      if (attempt !== lastAttempt) return;
      const { model } = connection.get();
      const known = agents.some((agent) => agent.model === model);
      const chosen = known ? model : (agents[0]?.model ?? model);
      connection.set({ status: "ready", problem: undefined, hasToken, agents, model: chosen });
      keepToken(token);
    } catch (error) {
      if (attempt !== lastAttempt) return;
      const problem = toProblem(error);
      if (problem.wantsToken) keepToken(undefined);
      connection.set({ status: problem.wantsToken ? "locked" : "down", problem, hasToken });
    }
  }

  function connect(token: string | undefined): Promise<void> {
    connecting = tryToConnect(token);
    return connecting;
  }

  return {
    baseUrl,
    connection,
    talk,
    frames,
    draft,
    connect,
    reconnect: () => connect(lastToken),
    async send() {
      // Whoever types faster than the gateway answers is not to press Enter twice.
      await connecting;
      const { text } = draft.get();
      if (text.trim() === "" || talk.store.get().running || connection.get().status !== "ready") return;
      draft.set({ text: "" });
      await talk.send(text, connection.get().model);
    },
  };
}
