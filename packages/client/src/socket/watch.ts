import type { ChatMessage, SocketEventPayload } from "@openclaw/protocol/socket";
import type { Ask } from "./ask.ts";
import { tell } from "./emitter.ts";
import { textOf } from "./frames.ts";
import { createInTurn } from "./in-turn.ts";
import type { SocketStatus } from "./link.ts";

export interface WatchOptions {
  agentId?: string | undefined;
  /**
   * Messages to begin with: the newest.
   * @defaultValue 200
   */
  limit?: number | undefined;
}

/** A session as it is now. Its lists are new ones when they are others. */
export interface WatchedSession {
  /** In full, once it is known. */
  readonly sessionKey: string;
  /** Oldest first. */
  readonly messages: readonly ChatMessage[];
  /** Whether there are older ones. */
  readonly hasMore: boolean;
  /** The answer under way, and how far it is. */
  readonly running: { readonly runId: string; readonly text: string } | undefined;
  /** Why the last run has no answer, or not all of it; until the next one begins. */
  readonly failure: { readonly runId: string; readonly message: string; readonly kind: string } | undefined;
  /** Whether it is up to date: not before it was read, nor while the connection is away. */
  readonly isLive: boolean;
  /** Why it cannot be read, or is not any more. */
  readonly error: Error | undefined;
}

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
  /** Whether another watch is of the session with this full key. */
  isShared(key: string): boolean;
}

export function createWatch(
  { ask, isReady, isShared }: WatchScope,
  sessionKey: string,
  onChange: (session: WatchedSession) => void,
  { agentId, limit = DEFAULT_LIMIT }: WatchOptions = {},
): Watch {
  const given = agentId === undefined ? {} : { agentId };
  let key: string | undefined;
  let stopped = false;
  let session: WatchedSession = {
    ...{ sessionKey, messages: [], hasMore: false, isLive: false },
    ...{ running: undefined, failure: undefined, error: undefined },
  };
  /** What comes while it is read: whether that has it already is not known before. */
  let early: [name: string, payload: object][] | undefined;

  function set(change: Partial<WatchedSession>): void {
    if (stopped) return;
    session = { ...session, ...change };
    tell(onChange, session);
  }

  const look = createInTurn(
    async () => {
      if (stopped) return;
      early = [];
      ({ key } = await ask("sessions.messages.subscribe", { key: sessionKey, ...given }));
      if (stopped) return leave();
      const history = await ask("chat.history", { sessionKey, ...given, limit });
      const { messages, hasMore, inFlightRun: running } = history;
      const kept = session.messages.findIndex((message) => idOf(message) === idOf(messages[0]));
      // What stands before a message never changes.
      const older = kept > 0 && idOf(messages[0]) ? session.messages.slice(0, kept) : [];
      const missed = early;
      early = undefined;
      set({
        ...{ sessionKey: key, messages: [...older, ...messages], running, isLive: isReady(), error: undefined },
        hasMore: older.length > 0 ? session.hasMore : hasMore,
      });
      for (const [name, payload] of missed) apply(name, payload);
    },
    (error) => {
      early = undefined;
      set({ isLive: false, error });
    },
  );

  function onMessage({ message }: SocketEventPayload<"session.message">): void {
    const id = idOf(message);
    if (!id) return;
    const { messages, running } = session;
    const at = messages.findIndex((other) => idOf(other) === id);
    // Another branch goes on: which messages are its own, the history says.
    if (at < 0 && seqOf(message) <= seqOf(messages.at(-1))) look();
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

  function leave(): void {
    if (key !== undefined && !isShared(key)) ask("sessions.messages.unsubscribe", { key }).catch(() => {});
  }

  const isAnswered = (runId: string) =>
    session.messages.some(({ role, __openclaw }) => role === "assistant" && __openclaw?.runId === runId);

  function apply(name: string, payload: object): void {
    if (stopped) return;
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
      if ((payload as { sessionKey?: unknown }).sessionKey === key) apply(name, payload);
    },
    onStatus(status) {
      if (status.state === "closed") set({ isLive: false, error: status.error });
      else if (status.state === "waiting" && session.isLive) set({ isLive: false });
    },
    look,
    stop() {
      if (!stopped && key !== undefined) leave();
      stopped = true;
    },
  };
}

function toFailure(chat: SocketEventPayload<"chat">): WatchedSession["failure"] {
  if (chat.state === "aborted") return { runId: chat.runId, message: "The run was aborted.", kind: "aborted" };
  return chat.state === "error" ? { runId: chat.runId, message: chat.errorMessage, kind: chat.errorKind } : undefined;
}
