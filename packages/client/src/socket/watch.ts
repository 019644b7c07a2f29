import type { ChatMessage, SocketEventPayload } from "@openclaw/protocol/socket";
import type { Ask } from "./ask.ts";
import { tell } from "./emitter.ts";
import { textOf } from "./frames.ts";
import { createInTurn } from "./in-turn.ts";
import type { SocketStatus, WatchedSession, WatchOptions } from "./types.ts";

/** What the socket has of a session that is watched. */
export interface Watch {
  /** In full, once it is known. */
  readonly key: string | undefined;
  onEvent(name: string, payload: object): void;
  onStatus(status: SocketStatus): void;
  /** Reads it, again. */
  look(): void;
  stop(): void;
}

const DEFAULT_LIMIT = 200;
const idOf = (message: ChatMessage | undefined) => message?.__openclaw?.id;
const seqOf = (message: ChatMessage | undefined) => message?.__openclaw?.seq ?? 0;

/** What a watch knows of its socket. */
interface WatchScope {
  ask: Ask;
  isReady(): boolean;
  /** The gateway need not tell of the session with this full key any more, as far as this watch goes. */
  leave(key: string): void;
}

export function createWatch(
  { ask, isReady, leave }: WatchScope,
  sessionKey: string,
  onChange: (session: WatchedSession) => void,
  { agentId, limit = DEFAULT_LIMIT }: WatchOptions = {},
): Watch {
  const given = agentId === undefined ? {} : { agentId };
  let key: string | undefined;
  const stopping = new AbortController();
  const { signal } = stopping;
  let session: WatchedSession = {
    ...{ sessionKey, messages: [], hasMore: false, isLive: false },
    ...{ running: undefined, failure: undefined, error: undefined },
  };
  /** What comes while it is read: whether that has it already is not known before. */
  let early: [name: string, payload: object][] | undefined;

  function set(change: Partial<WatchedSession>): void {
    if (signal.aborted) return;
    session = { ...session, ...change };
    tell(onChange, session);
  }

  async function read(): Promise<void> {
    // Of what is done to it, as a turn to another branch, not every gateway tells otherwise.
    const hearing = ask("sessions.subscribe", {});
    const subscribing = ask("sessions.messages.subscribe", { key: sessionKey, ...given });
    [{ key }] = await Promise.all([subscribing, hearing]);
    if (signal.aborted) return leave(key);
    const history = await ask("chat.history", { sessionKey, ...given, limit }, { signal });
    const { messages, hasMore, inFlightRun: running } = history;
    const kept = session.messages.findIndex((message) => idOf(message) === idOf(messages[0]));
    // What stands before a message never changes.
    const older = kept > 0 && idOf(messages[0]) ? session.messages.slice(0, kept) : [];
    set({
      ...{ sessionKey: key, messages: [...older, ...messages], running, isLive: isReady(), error: undefined },
      hasMore: older.length > 0 ? session.hasMore : hasMore,
    });
  }

  const look = createInTurn(
    async () => {
      const missed: typeof early = [];
      early = missed;
      try {
        await read();
      } catch (error) {
        // Before it is asked again, which may take a while, it goes on as well as it can.
        if (session.isLive) set({ isLive: false });
        throw error;
      } finally {
        early = undefined;
        for (const [name, payload] of missed) apply(name, payload);
      }
    },
    (error) => set({ isLive: false, error }),
    signal,
  );

  function onMessage({ message }: SocketEventPayload<"session.message">): void {
    const id = idOf(message);
    if (!id) return;
    const { messages, running, error } = session;
    const at = messages.findIndex((other) => idOf(other) === id);
    // Another branch goes on, or there is a hole: what there is, the history says.
    if (at < 0 && (error || seqOf(message) !== seqOf(messages.at(-1)) + 1)) look();
    else {
      const isAnswer = message.role === "assistant" && message.__openclaw?.runId === running?.runId;
      set({
        messages: at < 0 ? [...messages, message] : messages.with(at, message),
        ...(isAnswer && { running: undefined }),
      });
    }
  }

  function onChat(chat: SocketEventPayload<"chat">): void {
    const { runId, state } = chat;
    const { running } = session;
    // One at a time: the other is a side task.
    if (running && running.runId !== runId) return;
    if (state === "delta") {
      const text = textOf(chat.message);
      const isOld = running ? running.text.startsWith(text) : isAnswered(runId);
      if (!isOld) set({ running: { runId, text }, failure: undefined });
    } else if (state === "final" || state === "aborted" || state === "error") {
      const failure = toFailure(chat);
      const isDone = isAnswered(runId);
      if (failure || (isDone && running)) set({ ...(isDone && { running: undefined }), ...(failure && { failure }) });
      // It stays in sight until the history has it.
      if (!isDone) look();
    }
  }

  const isAnswered = (runId: string) =>
    session.messages.some(({ role, __openclaw }) => role === "assistant" && __openclaw?.runId === runId);

  function apply(name: string, payload: object): void {
    if (signal.aborted) return;
    if (early) return void early.push([name, payload]);
    if (name === "session.message") onMessage(payload as SocketEventPayload<"session.message">);
    else if (name === "chat") onChat(payload as SocketEventPayload<"chat">);
    else if (name === "sessions.changed") {
      // Of a run nothing is new in this.
      if (!(payload as SocketEventPayload<"sessions.changed">).phase) look();
    } else if (name === "agent") {
      const { runId, stream, data } = payload as SocketEventPayload<"agent">;
      const begins = stream === "lifecycle" && Object(data).phase === "start";
      if (begins && !session.running) set({ running: { runId, text: "" }, failure: undefined });
    }
  }

  return {
    get key() {
      return key;
    },
    onEvent(name, payload) {
      if (key !== undefined && (payload as { sessionKey?: unknown }).sessionKey === key) apply(name, payload);
    },
    onStatus(status) {
      if (status.state === "closed") {
        set({ isLive: false, error: status.error });
        if (!status.error) stopping.abort();
      } else if (status.state === "waiting" && session.isLive) set({ isLive: false });
    },
    look,
    stop() {
      if (signal.aborted) return;
      stopping.abort();
      if (key !== undefined) leave(key);
    },
  };
}

function toFailure(chat: SocketEventPayload<"chat">): WatchedSession["failure"] {
  if (chat.state === "aborted") return { runId: chat.runId, message: "The run was aborted.", kind: "aborted" };
  return chat.state === "error" ? { runId: chat.runId, message: chat.errorMessage, kind: chat.errorKind } : undefined;
}
