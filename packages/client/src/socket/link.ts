import { SOCKET_CLOSE } from "@openclaw/protocol/wire";
import { createOutcome, type Outcome } from "../chat/outcome.ts";
import { AbortError, OpenClawError } from "../errors.ts";
import { misuse } from "../options.ts";
import { toConnectParams } from "./connect-params.ts";
import { type Connection, type ConnectionOptions, openConnection } from "./connection.ts";
import { delayAfter, isFinal, isOfToken } from "./next-try.ts";
import { REQUEST_TIMEOUT, type SocketOptions, toSocketUrl } from "./options.ts";
import type { SocketStatus } from "./types.ts";

/** What goes on connecting. */
export interface Link {
  readonly status: SocketStatus;
  /** Why there is no connection, since there was one. */
  readonly failure: Error | undefined;
  /** Aborted by `close()`. */
  readonly closing: AbortSignal;
  /**
   * The connection, as soon as there is one. Begins to connect.
   *
   * @param signal - Once it is aborted nobody waits for it any more.
   * @throws what has ended it
   */
  ready(signal?: AbortSignal): Promise<Connection>;
  /** Begins anew, also where there is a wait or an error that ended it. */
  start(): void;
  close(): void;
}

interface LinkEvents extends Pick<ConnectionOptions, "onEvent" | "onGap"> {
  onStatus(status: SocketStatus): void;
}

/** @throws OpenClawError when the options cannot work */
export function createLink(options: SocketOptions, { onStatus, onEvent, onGap }: LinkEvents): Link {
  const { timeout = REQUEST_TIMEOUT } = options;
  const url = toSocketUrl(options.baseUrl);
  const WebSocket = options.WebSocket ?? globalThis.WebSocket;
  if (typeof WebSocket !== "function") misuse("There is no `WebSocket` here: give one as an option.");
  const closing = new AbortController();
  let status: SocketStatus = { state: "idle" };
  /** Not one promise for all: that would keep whoever has left. */
  const waiting = new Set<Outcome<Connection>>();
  let connection: Connection | undefined;
  let failure: Error | undefined;
  let failures = 0;
  /** Whether one more try was made with a token that is asked for, after one that was not taken. */
  let isRenewed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const untold: SocketStatus[] = [];

  function setStatus(value: SocketStatus): void {
    status = value;
    // What a listener sets off is told to nobody before what it was told itself.
    if (untold.push(value) > 1) return;
    for (const one of untold) onStatus(one);
    untold.length = 0;
  }

  function settle(how: (outcome: Outcome<Connection>) => void): void {
    waiting.forEach(how);
    waiting.clear();
  }

  function start(): void {
    if (status.state === "closed") {
      if (closing.signal.aborted) return;
    } else if (status.state !== "idle" && status.state !== "waiting") return;
    clearTimeout(timer);
    void open();
  }

  async function open(): Promise<void> {
    setStatus({ state: "connecting" });
    try {
      const params = await toConnectParams(options, closing.signal);
      if (closing.signal.aborted) return;
      connection = openConnection({ url, WebSocket, params, timeout, onReady, onEvent, onGap, onEnd });
    } catch (cause) {
      const isOurs = cause instanceof OpenClawError;
      onEnd(isOurs ? cause : new OpenClawError("The `WebSocket` cannot be opened.", { cause }), undefined);
    }
  }

  function onReady(opened: Connection): void {
    failures = 0;
    failure = undefined;
    isRenewed = false;
    settle(({ resolve }) => resolve(opened));
    setStatus({ state: "ready", hello: opened.hello });
  }

  function onEnd(error: Error, code: number | undefined): void {
    if (closing.signal.aborted) return;
    failure = error;
    let isLast = isFinal(error, code);
    if (isLast && !isRenewed && typeof options.token === "function" && isOfToken(error, code)) {
      isRenewed = true;
      isLast = false;
    }
    if (isLast) {
      settle(({ reject }) => reject(error));
      setStatus({ state: "closed", error });
    } else {
      const delayMs = delayAfter(error, code, failures++);
      timer = setTimeout(start, delayMs);
      setStatus({ state: "waiting", error, delayMs });
    }
  }

  return {
    get status() {
      return status;
    },
    get failure() {
      return failure;
    },
    closing: closing.signal,
    start,
    async ready(signal) {
      if (status.state === "idle") start();
      if (status.state === "ready") return connection as Connection;
      if (status.state === "closed") throw status.error ?? closing.signal.reason;
      const outcome = createOutcome<Connection>();
      waiting.add(outcome);
      signal?.addEventListener("abort", () => waiting.delete(outcome), { once: true });
      return outcome.promise;
    },
    close() {
      if (closing.signal.aborted) return;
      const error = new AbortError("The socket was closed.");
      closing.abort(error);
      clearTimeout(timer);
      settle(({ reject }) => reject(error));
      connection?.end(error, SOCKET_CLOSE.normal);
      setStatus({ state: "closed" });
    },
  };
}
