import { type Client, createClient } from "@openclaw/client";
import { createStore, type Store } from "./store.ts";
import { type AgentChoice, toAgentChoices } from "./talk/agents.ts";
import { type Problem, toProblem } from "./talk/problem.ts";
import type { Fetch } from "./wire/fetch.ts";

export interface ConnectionState {
  /** `locked`: the gateway wants a token, or another one. `down`: it did not answer. */
  readonly status: "connecting" | "ready" | "locked" | "down";
  readonly agents: readonly AgentChoice[];
  /** What the next request says as `model`. */
  readonly model: string;
  readonly hasToken: boolean;
  readonly problem: Problem | undefined;
}

/** How the page stands to its gateway. */
export interface Connection {
  readonly store: Store<ConnectionState>;
  /** With the last token. */
  client(): Client;
  /** Asks the gateway who is there, with this token or, without one, as nobody. */
  connect(token: string | undefined): Promise<void>;
  /** The same once more. */
  reconnect(): Promise<void>;
  /** Settles when the last try is over. */
  settled(): Promise<void>;
}

export interface ConnectionOptions {
  baseUrl: string;
  fetch: Fetch;
  /** Told of a token that the gateway took, and of one that it did not (`undefined`). */
  keepToken(token: string | undefined): void;
  /** The gateway took this token. What follows from it belongs to the try. */
  onReady(token: string | undefined): Promise<void>;
}

export function createConnection({ baseUrl, fetch, keepToken, onReady }: ConnectionOptions): Connection {
  const store = createStore<ConnectionState>({
    status: "connecting",
    agents: [],
    model: "openclaw",
    hasToken: false,
    problem: undefined,
  });
  let client: Client;
  let lastAttempt = 0;
  let lastToken: string | undefined;
  let connecting = Promise.resolve();

  async function tryToConnect(token: string | undefined): Promise<void> {
    const attempt = ++lastAttempt;
    lastToken = token;
    const hasToken = token !== undefined;
    try {
      // No retries but those of a stream: a failure is to be seen when it happens.
      client = createClient({ baseUrl, fetch, maxRetries: 0, ...(hasToken && { token }) });
      const agents = toAgentChoices(await client.models.list());
      if (attempt !== lastAttempt) return;
      const { model } = store.get();
      const known = agents.some((agent) => agent.model === model);
      const chosen = known ? model : (agents[0]?.model ?? model);
      store.set({ status: "ready", problem: undefined, hasToken, agents, model: chosen });
      keepToken(token);
    } catch (error) {
      if (attempt !== lastAttempt) return;
      const problem = toProblem(error);
      if (problem.wantsToken) keepToken(undefined);
      store.set({ status: problem.wantsToken ? "locked" : "down", problem, hasToken });
      return;
    }
    await onReady(token);
  }

  function connect(token: string | undefined): Promise<void> {
    connecting = tryToConnect(token);
    return connecting;
  }

  return { store, client: () => client, connect, reconnect: () => connect(lastToken), settled: () => connecting };
}
