import type { Session } from "@openclaw/client";
import { type ConnectionState, createConnection } from "./connection.ts";
import { createStore, type Store } from "./store.ts";
import { readSession, toModel } from "./talk/from-session.ts";
import { type Problem, toProblem } from "./talk/problem.ts";
import { type AnswerRef, findAnswer, readRun } from "./talk/record.ts";
import { createSessions, type Sessions, toBareKey } from "./talk/sessions.ts";
import { createTalk, type Talk } from "./talk/talk.ts";
import { createFrameLog, type FrameLog } from "./wire/frame-log.ts";
import { createLive, type Live } from "./wire/live.ts";
import { createPlug, type Plug } from "./wire/plug.ts";
import { showRefusals } from "./wire/show-refusals.ts";
import { tapFetch } from "./wire/tap-fetch.ts";

/** Everything the page knows and does, without a pixel of it. */
export interface Playground {
  readonly baseUrl: string;
  readonly connection: Store<ConnectionState>;
  readonly talk: Talk;
  readonly sessions: Sessions;
  readonly frames: FrameLog;
  readonly plug: Plug;
  readonly live: Live;
  readonly draft: Store<{ text: string }>;
  /** Asks the gateway who is there, with this token or, without one, as nobody. */
  connect(token: string | undefined): Promise<void>;
  /** The same once more. */
  reconnect(): Promise<void>;
  send(): Promise<void>;
  /** Goes on with a talk that the gateway has kept. */
  open(session: Session): Promise<void>;
  /** The same by its full key, as soon as the gateway lets the page in. */
  openKey(sessionId: string): Promise<void>;
  /** Goes on with a copy of the talk that ends with this answer. */
  fork(answer: AnswerRef): Promise<void>;
}

export interface PlaygroundOptions {
  baseUrl: string;
  /** Told of a token that the gateway took, and of one that it did not (`undefined`). */
  keepToken(token: string | undefined): void;
  /** Told of the session that the talk is in, in full; `undefined` of a talk that has none yet. */
  keepSession(sessionId: string | undefined): void;
}

export function createPlayground({ baseUrl, keepToken, keepSession }: PlaygroundOptions): Playground {
  const now = () => performance.now();
  const draft = createStore({ text: "" });
  const frames = createFrameLog({ now });
  const plug = createPlug(
    (url, init) => globalThis.fetch(url, init),
    (pulled) => (pulled ? live.cut() : live.mend()),
  );
  const fetch = showRefusals(tapFetch(plug.fetch, frames));
  /** To be opened when that can be. */
  let wanted: string | undefined;

  const { client, connect, reconnect, settled, ...connection } = createConnection({
    ...{ baseUrl, fetch, keepToken },
    async onReady(token) {
      live.start(token);
      await openWanted();
    },
  });
  // The problem itself stands in the talk.
  const lock = (problem: Problem) => {
    if (problem.wantsToken) connection.store.set({ status: "locked", problem: undefined });
  };
  const talk = createTalk({
    ...{ client, frames, now, onProblem: lock, onEnd: plug.plugIn },
    onSession(sessionId) {
      keepSession(sessionId);
      live.watch(sessionId);
    },
    onTurn: () => void openKey(talk.store.get().sessionId),
    abort: (runId) => live.abort(runId),
  });
  const sessions = createSessions(client);
  const live = createLive({
    baseUrl,
    onSession: talk.elsewhere.show,
    onTool: talk.elsewhere.showTool,
    onChange: sessions.heard,
    onLockedOut: () => void reconnect(),
  });

  async function open(session: Session): Promise<void> {
    const before = talk.store.get().sessionKey;
    const entries = await readSession(client(), session);
    // Somebody pressed something else meanwhile.
    if (talk.store.get().sessionKey !== before) return;
    const model = toModel(session.agent);
    const { agents } = connection.store.get();
    if (agents.some((agent) => agent.model === model)) connection.store.set({ model });
    talk.open(toBareKey(session), session.id, entries);
  }

  async function openWanted(): Promise<void> {
    const sessionId = wanted;
    wanted = undefined;
    if (sessionId === undefined) return;
    try {
      await open(await client().sessions.retrieve(sessionId));
    } catch (error) {
      talk.startNew();
      talk.note(`The session of this address: ${toProblem(error).title}.`);
    }
  }

  async function openKey(sessionId: string | undefined): Promise<void> {
    wanted = sessionId;
    if (connection.store.get().status === "ready") await openWanted();
  }

  return {
    ...{ baseUrl, talk, sessions, frames, plug, live, draft, connect, reconnect, openKey },
    connection: connection.store,
    async send() {
      // Whoever types faster than the gateway answers is not to press Enter twice.
      await settled();
      const { text } = draft.get();
      if (text.trim() === "" || talk.store.get().running || connection.store.get().status !== "ready") return;
      draft.set({ text: "" });
      await talk.send(text, connection.store.get().model);
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
        const message = findAnswer(await readRun(client(), answer));
        if (message === undefined) throw new Error("The answer is not among the last of its session.");
        await open(await client().sessions.fork(answer.sessionId, { at: message.id }));
        talk.note("A fork: what is said from here is not in the other talk.");
      } catch (error) {
        talk.note(toProblem(error).title);
      }
    },
  };
}
