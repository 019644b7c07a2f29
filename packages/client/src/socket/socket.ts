import { createAttempt } from "../attempt.ts";
import { AbortError } from "../errors.ts";
import { createAsk, type SocketRequestOptions } from "./ask.ts";
import { createEmitter } from "./emitter.ts";
import { createInTurn } from "./in-turn.ts";
import { createLink } from "./link.ts";
import { checkSocketOptions, REQUEST_TIMEOUT, type SocketOptions } from "./options.ts";
import { createRun, type OpenRun } from "./run.ts";
import type { Socket, SocketEvents } from "./socket-types.ts";
import type { SendParams, SocketRun } from "./types.ts";
import { createWatch, type Watch } from "./watch.ts";

/**
 * Makes a client of a gateway's socket. Nothing is sent until it is used.
 *
 * @example
 * ```ts
 * const socket = createSocket({ baseUrl: "http://127.0.0.1:18789", token: "…" });
 * const run = await socket.send("main", "Hello!");
 * for await (const text of run) console.log(text);
 * socket.close();
 * ```
 * @throws OpenClawError when the options cannot work
 */
export function createSocket(options: SocketOptions): Socket {
  checkSocketOptions(options);
  const emitter = createEmitter<SocketEvents>();
  const runs = new Set<OpenRun>();
  const watches = new Set<Watch>();
  let hearsOfSessions = false;
  let bootId: string | undefined;
  const isReady = () => link.status.state === "ready";

  const link = createLink(options, {
    onEvent(name, payload) {
      if (name === "chat") for (const run of runs) run.onChat(payload);
      for (const watch of watches) watch.onEvent(name, payload);
      // Those two names are the socket's own.
      if (name !== "gap" && name !== "status") emitter.emit(name as keyof SocketEvents, payload as never);
    },
    onGap(expected, received) {
      lookAgain();
      emitter.emit("gap", { expected, received });
    },
    onStatus(status) {
      if (status.state === "ready") {
        bootId = status.hello.server?.bootId;
        listen();
        lookAgain();
      } else if (status.state === "closed") {
        for (const run of runs) run.fail(status.error ?? new AbortError("The socket was closed."));
      }
      for (const watch of watches) watch.onStatus(status);
      emitter.emit("status", status);
    },
  });
  const ask = createAsk(link, options.timeout ?? REQUEST_TIMEOUT);

  /** What was missed is found out by asking. */
  function lookAgain(): void {
    for (const { look } of [...runs, ...watches]) look();
  }

  const listen = createInTurn(
    async () => void (hearsOfSessions && isReady() && (await ask("sessions.subscribe", {}))),
    // It may chat, and not hear of sessions.
    () => {},
    link.closing,
  );

  /** A session that is left, unless another watch is of it. */
  function leave(key: string): void {
    const isLeft = [...watches].every((other) => other.key !== key);
    // With a connection its subscriptions go.
    if (!isLeft || !isReady()) return;
    ask("sessions.messages.unsubscribe", { key }).then(
      () => {
        // One that has come meanwhile has lost it, too.
        for (const { key: other = key, look } of watches) if (other === key) look();
      },
      () => {},
    );
  }

  async function send(
    first: string | SendParams,
    second?: string | SocketRequestOptions,
    third?: SocketRequestOptions,
  ): Promise<SocketRun> {
    const [params, requestOptions] =
      typeof first === "string"
        ? [{ sessionKey: first, message: second as string }, third]
        : [first, second as SocketRequestOptions | undefined];
    const run = createRun({ ask, bootId: () => bootId }, params, requestOptions, () => runs.delete(run));
    runs.add(run);
    await run.send();
    return run.run;
  }

  return {
    get status() {
      return link.status;
    },
    async connect({ signal } = {}) {
      link.start();
      const attempt = createAttempt(signal);
      try {
        return await attempt.until(async () => (await link.ready(attempt.signal)).hello);
      } finally {
        attempt.release();
      }
    },
    send,
    history: (sessionKey, params, requestOptions) => ask("chat.history", { ...params, sessionKey }, requestOptions),
    abort: (sessionKey, params, requestOptions) => ask("chat.abort", { ...params, sessionKey }, requestOptions),
    request: (method, ...[params, requestOptions]) => ask(method, params as never, requestOptions),
    on(event, listener) {
      if (!hearsOfSessions && (event === "sessions.changed" || event === "session.message")) {
        hearsOfSessions = true;
        listen();
      }
      return emitter.on(event, listener);
    },
    watch(sessionKey, onChange, watchOptions) {
      const watch = createWatch({ ask, isReady, leave }, sessionKey, onChange, watchOptions);
      watches.add(watch);
      queueMicrotask(() => {
        watch.onStatus(link.status);
        if (isReady()) watch.look();
        else if (link.status.state === "idle") link.start();
      });
      return () => {
        watches.delete(watch);
        watch.stop();
      };
    },
    close: link.close,
  };
}
