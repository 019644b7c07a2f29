import type { HelloOk } from "@openclaw/protocol/socket";
import { SOCKET_CLOSE, SOCKET_LIMITS, SOCKET_PROTOCOL } from "@openclaw/protocol/wire";
import { createAttempt, LONGEST_TIMER } from "../attempt.ts";
import { createOutcome } from "../chat/outcome.ts";
import { AbortError, ConnectionError, OpenClawError, SocketError } from "../errors.ts";
import { misuse, toCredential } from "../options.ts";
import { type Connection, type ConnectionOptions, openConnection } from "./connection.ts";
import { REQUEST_TIMEOUT, type SocketOptions, toClientInfo, toSocketUrl } from "./options.ts";

/** In milliseconds. */
const FIRST_DELAY = 1_000;
const LONGEST_DELAY = 30_000;
/** Whatever a gateway asks for: it is not to be run over. */
const SHORTEST_DELAY = 100;

/** How a socket stands to its gateway. */
export type SocketStatus =
  /** Nobody has asked for anything yet. */
  | { readonly state: "idle" }
  | { readonly state: "connecting" }
  | { readonly state: "ready"; readonly hello: HelloOk }
  /** Before the next try, in so many milliseconds. */
  | { readonly state: "waiting"; readonly error: Error; readonly delayMs: number }
  /** For good; or, with an error that no further try would help, until `connect()`. */
  | { readonly state: "closed"; readonly error?: Error };

/** What goes on connecting. */
export interface Link {
  readonly status: SocketStatus;
  /** The connection, as soon as there is one. Begins to connect. @throws what has ended it */
  ready(): Promise<Connection>;
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
  let next = createOutcome<Connection>();
  let connection: Connection | undefined;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function setStatus(value: SocketStatus): void {
    status = value;
    onStatus(value);
  }

  function start(): void {
    if (status.state === "closed") {
      if (closing.signal.aborted) return;
      next = createOutcome();
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
    next.resolve(opened);
    setStatus({ state: "ready", hello: opened.hello });
  }

  function onEnd(error: Error, code: number | undefined): void {
    if (closing.signal.aborted) return;
    if (status.state === "ready") next = createOutcome();
    if (isFinal(error, code)) {
      next.reject(error);
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
    start,
    ready() {
      if (status.state === "idle") start();
      return next.promise;
    },
    close() {
      if (closing.signal.aborted) return;
      const error = new AbortError("The socket was closed.");
      closing.abort(error);
      clearTimeout(timer);
      if (status.state === "ready") next = createOutcome();
      next.reject(error);
      connection?.end(error, SOCKET_CLOSE.normal);
      setStatus({ state: "closed" });
    },
  };
}

async function toConnectParams(options: SocketOptions, signal: AbortSignal): Promise<object> {
  const { scopes = ["operator.read", "operator.write"], caps = ["tool-events"], client } = options;
  const token = typeof options.token === "function" ? await askForToken(options.token, signal) : options.token;
  const credential = token === undefined ? undefined : toCredential(token);
  return {
    minProtocol: SOCKET_PROTOCOL,
    maxProtocol: SOCKET_PROTOCOL,
    client: toClientInfo(client),
    caps,
    role: "operator",
    scopes,
    // Which of the two it is, the gateway's settings say.
    auth: credential && { token: credential, password: credential },
  };
}

/** @throws ConnectionError when it cannot be had now: with a server that is not reached, as with the gateway itself */
async function askForToken(getToken: () => string | Promise<string>, signal: AbortSignal): Promise<string> {
  const attempt = createAttempt(signal, SOCKET_LIMITS.handshakeTimeoutMs, "token");
  try {
    return await attempt.until(async () => getToken());
  } catch (cause) {
    throw new ConnectionError("`token` gave none.", { cause });
  } finally {
    attempt.release();
  }
}

/** Whether another try comes to the same. */
function isFinal(error: Error, code: number | undefined): boolean {
  if (code === SOCKET_CLOSE.credentialsGone) return true;
  // Misuse is: an address, or a token that cannot be sent.
  if (!(error instanceof SocketError)) return error.name === "OpenClawError";
  const mayPass = error.retryable || error.retryAfterMs !== undefined || error.code === "UNAVAILABLE";
  return !mayPass && Object(error.details).code !== "AUTH_RATE_LIMITED";
}

/**
 * Milliseconds until the next try: what the gateway asks for; soon, when it says that another will be there; else 1 s
 * doubling up to 30 s. Less up to a quarter by chance, so that clients that were cut off together do not return together.
 */
function delayAfter(error: Error, code: number | undefined, failures: number): number {
  if (error instanceof SocketError && error.retryAfterMs !== undefined) {
    return Math.min(Math.max(error.retryAfterMs, SHORTEST_DELAY), LONGEST_TIMER);
  }
  const isSoon = code === SOCKET_CLOSE.restart || code === SOCKET_CLOSE.tryAgain;
  return Math.min(FIRST_DELAY * 2 ** (isSoon ? 0 : failures), LONGEST_DELAY) * (1 - Math.random() / 4);
}
