import { SOCKET_CLOSE, SOCKET_LIMITS } from "@openclaw/protocol";
import type { ResponseFrame, SocketEventName } from "@openclaw/protocol/socket";
import type { WebSocket } from "ws";
import type { Caller } from "../auth/caller.ts";
import { mayUse } from "../auth/permissions.ts";
import { satisfies } from "./scopes.ts";
import { toSocketError } from "./socket-error.ts";

/** Bytes that wait for a reader, from which on it is slow: what can be told later is left out. */
const SLOW_BYTES = 1024 * 1024;
/** Bytes that are gathered for one write: a reader is not to look slow for what it was not sent. */
const WRITE_BYTES = 64 * 1024;
/** What a client may say it understands, of what matters here. */
const CAPS = ["tool-events", "session-scoped-events", "agent-kind"];
/** Session keys that a connection is known to use, the latest. */
const MAX_USED = 1000;

type Wire = Pick<
  WebSocket,
  "send" | "close" | "pause" | "resume" | "isPaused" | "bufferedAmount" | "readyState" | "OPEN"
>;

/** The TCP socket beneath, of which ws has no more to show. */
interface Gathering {
  cork(): void;
  uncork(): void;
  readonly writableLength: number;
}

export interface ConnectionOptions {
  id: string;
  wire: Wire;
  caller: Caller;
  scopes: ReadonlySet<string>;
  caps: readonly string[];
}

/** A client that said hello: who it is, what it may hear, and the way to it. */
export class Connection {
  readonly id: string;
  readonly caps: ReadonlySet<string>;
  /** These two change when the config does. */
  caller: Caller;
  scopes: ReadonlySet<string>;
  /** Called when it is to hear of something else than before. */
  onInterest: (() => void) | undefined;
  /** Requests under way. */
  pending = 0;
  /** Whether it asked to hear of all its sessions. */
  hearsSessions = false;
  /** Keys of the sessions whose messages it asked to hear. */
  readonly messagesOf = new Set<string>();
  readonly #used = new Set<string>();
  readonly #leaving = new AbortController();
  readonly #wire: Wire;
  /** What gathers frames for one write. */
  #gathering: Gathering | undefined;
  #seq = 0;

  constructor({ id, wire, caller, scopes, caps }: ConnectionOptions) {
    this.id = id;
    this.#wire = wire;
    this.caller = caller;
    this.scopes = scopes;
    this.caps = new Set(CAPS.filter((cap) => caps.includes(cap)));
  }

  /** Aborts when it is not there any more. */
  get gone(): AbortSignal {
    return this.#leaving.signal;
  }

  leave(): void {
    this.#leaving.abort();
  }

  /** Whether it may hear what happens in runs and sessions at all. */
  get hears(): boolean {
    const { scopes } = this.caller;
    return satisfies(this.scopes, "operator.read") && (scopes.has("chat") || scopes.has("sessions"));
  }

  /** Whether it hears of other owners, too, by this session key: with the agents that its caller may use. */
  hearsOthers(key: string): boolean {
    if (!this.hears || !this.scopes.has("operator.admin") || !this.caller.scopes.has("admin")) return false;
    if (this.caller.agents === undefined) return true;
    const agentId = /^agent:([^:]+):/i.exec(key)?.[1]?.toLowerCase();
    return agentId !== undefined && mayUse(this.caller, agentId);
  }

  /** Remembers that it means its own session by this key, and forgets the one that it named the longest ago. */
  use(key: string): void {
    const isNew = !this.#used.delete(key);
    this.#used.add(key);
    if (!isNew) return;
    const [oldest] = this.#used;
    if (this.#used.size > MAX_USED && oldest !== undefined) this.#used.delete(oldest);
    this.onInterest?.();
  }

  uses(key: string): boolean {
    return this.#used.has(key);
  }

  /** Whether more waits for it than a reader leaves. */
  get isSlow(): boolean {
    return this.#wire.bufferedAmount > SLOW_BYTES;
  }

  /**
   * @param payload JSON text
   * @param droppable what a slow reader can do without: it sees a gap in `seq`
   * @returns whether it was not left out
   */
  tell(event: SocketEventName, payload: string, droppable = false): boolean {
    const seq = ++this.#seq;
    if (droppable && this.isSlow) return false;
    this.#send(`{"type":"event","event":"${event}","payload":${payload},"seq":${seq}}`);
    const gathering = this.#gathering;
    if (gathering && gathering.writableLength >= WRITE_BYTES) {
      gathering.uncork();
      gathering.cork();
    }
    return true;
  }

  /** What it is told meanwhile leaves in one write. */
  together(work: () => void): void {
    // A test holds this to the installed version; without it each frame is a write of its own.
    const { _socket: socket } = this.#wire as { _socket?: Gathering | null };
    this.#gathering = socket ?? undefined;
    socket?.cork();
    try {
      work();
    } finally {
      this.#gathering = undefined;
      socket?.uncork();
    }
  }

  /** An event is not told: it sees the gap. */
  miss(): void {
    this.#seq++;
  }

  respond(id: string, payload: unknown): void {
    this.#answer({ type: "res", id, ok: true, payload });
  }

  fail(id: string, thrown: unknown, payload?: object): void {
    const error = toSocketError(thrown).toBody();
    this.#answer({ type: "res", id, ok: false, ...(payload && { payload }), error });
  }

  close(code: number, reason: string): void {
    this.#wire.close(code, reason);
  }

  #answer(frame: ResponseFrame): void {
    // An answer may be megabytes, and nobody would get it.
    if (this.#wire.readyState !== this.#wire.OPEN) return;
    this.#send(JSON.stringify(frame));
  }

  #send(frame: string): void {
    const wire = this.#wire;
    if (wire.readyState !== wire.OPEN) return;
    if (wire.bufferedAmount > SOCKET_LIMITS.maxBufferedBytes) {
      // Who does not take what waits within a second is cut: the close frame comes behind it.
      wire.close(SOCKET_CLOSE.policy, "slow consumer");
      return;
    }
    // Whoever does not read its answers is not asked for more questions.
    if (this.isSlow && !wire.isPaused) wire.pause();
    if (wire.isPaused) wire.send(frame, this.#resume);
    else wire.send(frame);
  }

  readonly #resume = (): void => {
    if (this.#wire.readyState === this.#wire.OPEN && !this.isSlow) this.#wire.resume();
  };
}
