import { type Client, createClient, type Session } from "@openclaw/client";
import { createStore, type Store } from "./store.ts";
import { type AgentChoice, toAgentChoices } from "./talk/agents.ts";
import { readSession, toModel } from "./talk/from-session.ts";
import { type Problem, toProblem } from "./talk/problem.ts";
import { type AnswerRef, findAnswer, readRun } from "./talk/record.ts";
import { createSessions, type Sessions, toBareKey } from "./talk/sessions.ts";
import { createTalk, type Talk } from "./talk/talk.ts";
import { createFrameLog, type FrameLog } from "./wire/frame-log.ts";
import { createPlug, type Plug } from "./wire/plug.ts";
import { showRefusals } from "./wire/show-refusals.ts";
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
  readonly sessions: Sessions;
  readonly frames: FrameLog;
  readonly plug: Plug;
  readonly draft: Store<{ text: string }>;
  /** Asks the gateway who is there, with this token or, without one, as nobody. */
  connect(token: string | undefined): Promise<void>;
  /** The same once more. */
  reconnect(): Promise<void>;
  send(): Promise<void>;
  /** Goes on with a talk that the gateway has kept. */
  open(session: Session): Promise<void>;
  /** Goes on with a copy of the talk that ends with this answer. */
  fork(answer: AnswerRef): Promise<void>;
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
  const plug = createPlug((url, init) => globalThis.fetch(url, init));
  const fetch = showRefusals(tapFetch(plug.fetch, frames));
  let client: Client;
  let lastAttempt = 0;
  let lastToken: string | undefined;
  let connecting: Promise<void> | undefined;

  // The problem itself stands in the talk.
  const lock = (problem: Problem) => {
    if (problem.wantsToken) connection.set({ status: "locked", problem: undefined });
  };
  const talk = createTalk({ client: () => client, frames, now, onProblem: lock, onEnd: plug.plugIn });
  const sessions = createSessions(() => client);

  async function tryToConnect(token: string | undefined): Promise<void> {
    const attempt = ++lastAttempt;
    lastToken = token;
    const hasToken = token !== undefined;
    try {
      // No retries but those of a stream: a failure is to be seen when it happens.
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

  async function open(session: Session): Promise<void> {
    const before = talk.store.get().sessionKey;
    const entries = await readSession(client, session);
    // Somebody pressed something else meanwhile.
    if (talk.store.get().sessionKey !== before) return;
    const model = toModel(session.agent);
    const { agents } = connection.get();
    if (agents.some((agent) => agent.model === model)) connection.set({ model });
    talk.open(toBareKey(session), entries);
  }

  return {
    baseUrl,
    connection,
    talk,
    sessions,
    frames,
    plug,
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
    async open(session) {
      try {
        await open(session);
      } catch (error) {
        sessions.store.set({ problem: toProblem(error) });
      }
    },
    async fork(answer) {
      try {
        const message = findAnswer(await readRun(client, answer));
        if (message === undefined) throw new Error("The answer is not among the last of its session.");
        await open(await client.sessions.fork(answer.sessionId, { at: message.id }));
        talk.note("A fork: what is said from here is not in the other talk.");
      } catch (error) {
        talk.note(toProblem(error).title);
      }
    },
  };
}
