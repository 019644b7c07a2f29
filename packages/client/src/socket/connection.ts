import type { HelloOk } from "@openclaw/protocol/socket";
import { SOCKET_CLOSE, SOCKET_LIMITS } from "@openclaw/protocol/wire";
import { LONGEST_TIMER } from "../attempt.ts";
import { createOutcome } from "../chat/outcome.ts";
import { ConnectionError, SocketError, TimeoutError } from "../errors.ts";
import { misuse } from "../options.ts";
import { parseFrame } from "./frames.ts";
import type { WebSocketClass } from "./options.ts";

/** Milliseconds until one that is closed here, and of which nothing is heard, is dropped. */
const CLOSE_GRACE = 1_000;

/** One connection, from its opening to its end. */
export interface Connection {
  readonly hello: HelloOk;
  /**
   * @param signal - Once it is aborted nobody waits for the answer any more.
   * @throws SocketError when the gateway refuses
   * @throws ConnectionError when the connection ends before there is an answer
   */
  request(method: string, params: object | undefined, signal?: AbortSignal): Promise<unknown>;
  /** Ends it, with this error. */
  end(error: Error, code?: number): void;
}

export interface ConnectionOptions {
  url: string;
  WebSocket: WebSocketClass;
  /** Of `connect`. */
  params: object;
  /** Milliseconds for each step of the handshake. */
  timeout: number;
  /** It can be used. */
  onReady(connection: Connection): void;
  onEvent(name: string, payload: object): void;
  /** Events were dropped before the one that is told next. */
  onGap(expected: number, received: number): void;
  /** It is over, or came to nothing. Once. @param code - The close frame's, if there was one. */
  onEnd(error: Error, code: number | undefined): void;
}

/** Those of an event that are used. */
interface AnyEvent {
  data?: unknown;
  code?: number;
  reason?: string;
  error?: unknown;
}
type Handlers = Record<"onmessage" | "onclose" | "onerror", (event: AnyEvent) => void>;

interface Answer {
  resolve(payload: unknown): void;
  reject(error: Error): void;
}

/** @throws what the `WebSocket` throws: it cannot even try */
export function openConnection(options: ConnectionOptions): Connection {
  const { timeout, onReady, onEvent, onGap, onEnd } = options;
  const webSocket = new options.WebSocket(options.url);
  const pending = new Map<string, Answer>();
  const limit = Math.min(timeout, SOCKET_LIMITS.handshakeTimeoutMs);
  let hello: HelloOk | undefined;
  let ended: Error | undefined;
  let lastId = 0;
  let lastSeq = 0;
  let heardAt = 0;
  let timer: ReturnType<typeof setTimeout> = setTimeout(giveUp, limit, "challenge");

  function end(error: Error, code?: number, closeCode?: number): void {
    if (ended) return;
    ended = error;
    clearTimeout(timer);
    try {
      // Not all codes may be sent from a page.
      webSocket.close(code);
      // It waits for an answer to that, Node's own without end. That one has no other way; the package `ws` has.
      if (webSocket.terminate) timer = setTimeout(() => webSocket.terminate?.(), CLOSE_GRACE);
    } catch {
      // It is of no use any more anyway.
    }
    for (const { reject } of pending.values()) reject(error);
    onEnd(error, closeCode);
  }

  function giveUp(awaited: string): void {
    end(new TimeoutError(`No ${awaited} within ${limit} ms.`), SOCKET_CLOSE.silent);
  }

  /** A gateway shows that it is alive. One timer looks after that, however many frames come. */
  function listen(silence: number): void {
    const left = heardAt + silence - Date.now();
    if (left > 0) timer = setTimeout(listen, Math.min(left, LONGEST_TIMER), silence);
    else end(new ConnectionError(`The gateway was silent for ${silence} ms.`), SOCKET_CLOSE.silent);
  }

  /** @param answer - Told in the midst of a frame: what comes next is already the connection's. */
  function ask(method: string, params: object | undefined, answer: Answer): string {
    const id = String(++lastId);
    const text = JSON.stringify({ type: "req", id, method, params });
    const max = hello?.policy?.maxPayload ?? SOCKET_LIMITS.maxPayloadBefore;
    // The gateway would end the connection, and with it what else is under way.
    if (text.length * 3 > max && new TextEncoder().encode(text).length > max) {
      misuse(`The request \`${method}\` is larger than the ${max} bytes that the gateway takes.`);
    }
    pending.set(id, answer);
    webSocket.send(text);
    return id;
  }

  const connection: Connection = {
    get hello() {
      return hello as HelloOk;
    },
    end,
    async request(method, params, signal) {
      if (ended) throw ended;
      const answer = createOutcome<unknown>();
      const id = ask(method, params, answer);
      signal?.addEventListener("abort", () => pending.delete(id), { once: true });
      return answer.promise;
    },
  };

  function shakeHands(): void {
    clearTimeout(timer);
    timer = setTimeout(giveUp, limit, "answer to `connect`");
    const answer: Answer = {
      reject: end,
      resolve(payload) {
        hello = Object(payload) as HelloOk;
        clearTimeout(timer);
        listen(2 * (hello.policy?.tickIntervalMs || SOCKET_LIMITS.tickIntervalMs));
        onReady(connection);
      },
    };
    try {
      ask("connect", options.params, answer);
    } catch (error) {
      // Nobody has called this who could catch it.
      end(error as Error);
    }
  }

  let isChallenged = false;
  const handlers: Handlers = {
    onmessage({ data }) {
      heardAt = Date.now();
      const frame = parseFrame(data);
      if (!frame || ended) return;
      if (frame.type === "res") {
        const answer = pending.get(frame.id);
        pending.delete(frame.id);
        if (frame.error) answer?.reject(new SocketError(frame.error));
        else answer?.resolve(frame.payload);
      } else if (frame.event === "connect.challenge") {
        if (!isChallenged) shakeHands();
        isChallenged = true;
      } else if (hello) {
        const { seq = lastSeq } = frame;
        if (seq > lastSeq + 1) onGap(lastSeq + 1, seq);
        lastSeq = Math.max(seq, lastSeq);
        onEvent(frame.event, frame.payload);
      }
    },
    onclose({ code, reason }) {
      end(new ConnectionError(`The connection was closed (${[code, reason].filter(Boolean).join(" ")}).`), 1000, code);
      clearTimeout(timer);
    },
    onerror({ error }) {
      end(new ConnectionError("The gateway cannot be reached, or the connection broke.", { cause: error }));
    },
  };
  Object.assign(webSocket, handlers);
  return connection;
}
