import { type FakeSocket, fakeWebSocket, HELLO } from "./fake-socket.ts";

const KEY = "agent:main:main";

interface FakeRun {
  runId: string;
  text: string;
  state: "running" | "final" | "aborted" | "error";
}

/**
 * A gateway with one session, whose runs say what the test lets them say. What it sends stays in a box until it is
 * delivered, and is lost with its connection.
 */
export function fakeGateway() {
  const runs = new Map<string, FakeRun>();
  const messages: object[] = [];
  let connection: { socket: FakeSocket; box: object[]; seq: number } | undefined;
  let isRefusing = false;
  let isInstant = false;
  let starts = 0;
  const forbidden = new Set<string>();

  const { WebSocket, sockets } = fakeWebSocket((socket) => {
    if (isRefusing) return socket.cut();
    const opened = { socket, box: [] as object[], seq: 0 };
    connection = opened;
    socket.onRequest = (request) => {
      if (connection !== opened) return;
      const [ok, payload] = answer(request.method, request.params);
      const id = request.id;
      put(ok ? { type: "res", id, ok, payload } : { type: "res", id, ok, error: payload });
    };
    put({ type: "event", event: "connect.challenge", payload: { nonce: "nonce", ts: 1 } });
  });

  function put(frame: object): void {
    connection?.box.push(frame);
    if (isInstant) queueMicrotask(() => deliver(1));
  }
  function tell(event: string, payload: object): void {
    if (connection) put({ type: "event", event, payload: { sessionKey: KEY, ...payload }, seq: ++connection.seq });
  }
  function deliver(count: number): void {
    for (const frame of connection?.box.splice(0, count) ?? []) connection?.socket.receive(frame);
  }

  const active = () => [...runs.values()].filter(({ state }) => state === "running");
  const row = () => ({ key: KEY, hasActiveRun: active().length > 0, activeRunIds: active().map(({ runId }) => runId) });
  const toMessage = (text: string) => ({ role: "assistant", content: [{ type: "text", text }], timestamp: 1 });

  function keep(message: { __openclaw?: object } & object): void {
    const seq = messages.length + 1;
    const kept = { ...message, __openclaw: { id: `m${seq}`, seq, ...message.__openclaw } };
    messages.push(kept);
    tell("session.message", { message: kept, messageId: `m${seq}`, messageSeq: seq, session: row() });
  }

  function answer(method: string, params: Record<string, string>): [ok: boolean, payload: unknown] {
    const { idempotencyKey = "", runId = idempotencyKey, message } = params;
    const run = runs.get(runId);
    // It never ticks: what is lost is to be found without a silence.
    if (method === "connect") return [true, { ...HELLO, policy: { ...HELLO.policy, tickIntervalMs: 1e9 } }];
    if (forbidden.has(method)) return [false, { code: "FORBIDDEN", message: "not allowed" }];
    if (method === "chat.send") {
      if (run) return [true, { runId: run.runId, status: run.state === "running" ? "in_flight" : "ok" }];
      starts++;
      runs.set(idempotencyKey, { runId: idempotencyKey, text: "", state: "running" });
      queueMicrotask(() => keep({ role: "user", content: message, timestamp: 1 } as object));
      return [true, { runId: idempotencyKey, status: "started" }];
    }
    if (method === "agent.wait") {
      if (!run || run.state === "running") return [true, { runId, status: "timeout" }];
      if (run.state === "final")
        return [true, { runId, status: "ok", endedAt: 1, stopReason: "stop", terminalReply: { text: run.text } }];
      const error = run.state === "aborted" ? "aborted" : "It failed.";
      return [true, { runId, status: "error", error, endedAt: 1 }];
    }
    if (method === "chat.history") {
      const [inFlight] = active();
      const inFlightRun = inFlight && { runId: inFlight.runId, text: inFlight.text };
      return [true, { sessionKey: KEY, messages: [...messages], hasMore: false, sessionInfo: row(), inFlightRun }];
    }
    if (method === "chat.abort") {
      const ended = run?.state === "running";
      if (ended) end("aborted");
      return [true, { ok: true, aborted: ended, runIds: ended ? [run.runId] : [] }];
    }
    if (/^sessions\.(messages\.|subscribe$)/.test(method)) return [true, { subscribed: true, key: KEY }];
    return [false, { code: "INVALID_REQUEST", message: `unknown method: ${method}` }];
  }

  function say(piece: string): void {
    for (const run of active().slice(0, 1)) {
      run.text += piece;
      tell("chat", { runId: run.runId, seq: 1, state: "delta", deltaText: piece, message: toMessage(run.text) });
    }
  }

  function end(state: "final" | "aborted" | "error"): void {
    for (const run of active().slice(0, 1)) {
      run.state = state;
      const { runId } = run;
      const message = run.text ? { message: toMessage(run.text) } : {};
      if (run.text) keep({ ...toMessage(run.text), __openclaw: { runId } });
      if (state === "error") {
        tell("chat", { runId, seq: 2, state, errorMessage: "It failed.", errorKind: "unknown", ...message });
      } else tell("chat", { runId, seq: 2, state, stopReason: state === "final" ? "stop" : "rpc", ...message });
    }
  }

  return {
    WebSocket,
    sockets,
    messages,
    keep,
    /** Methods that are refused. */
    forbidden,
    say,
    end,
    deliver,
    tick: () => tell("tick", { ts: 1 }),
    /** Loses an event that is in the box, as of a client that does not read. Its number is used up. */
    drop(index: number): void {
      const events = connection?.box.filter((frame) => "seq" in frame) ?? [];
      const dropped = events[index % events.length];
      if (connection && dropped) connection.box = connection.box.filter((frame) => frame !== dropped);
    },
    cut(code?: number): void {
      const last = connection;
      connection = undefined;
      last?.socket.cut(code);
    },
    /** Whether a next connection comes to nothing. */
    set refusing(value: boolean) {
      isRefusing = value;
    },
    /** From here on everything is delivered. */
    flow(): void {
      isInstant = true;
      deliver(Number.POSITIVE_INFINITY);
    },
    /** As after a restart that nothing of a run has survived. */
    forget: () => runs.clear(),
    get starts() {
      return starts;
    },
    get text() {
      return [...runs.values()].at(-1)?.text ?? "";
    },
  };
}
