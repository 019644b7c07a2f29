import type { GatewayStatus } from "@openclaw/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { GatewayError } from "../../src/index.ts";
import { agentOf, sayer, stepper } from "../support/agents.ts";
import { ask, askStream, hi, openRaw, readStream } from "../support/chat.ts";
import { collectGarbage } from "../support/garbage.ts";
import { type StartedGateway, type StartOptions, startGateway as start } from "../support/start-gateway.ts";

/** Answers outlive the process: they are in a database. */
const startGateway = (options: StartOptions) => start({ store: "sqlite", ...options });

const keyed = (key: string, more: Record<string, string> = {}) => ({ "idempotency-key": key, ...more });
const stream = hi({ stream: true });
const said = (raw: string) => raw.replace(/^id: .*\n/gm, "");

/** Time goes on when told, for as long as the test: a machine that stands still for a moment is no client that does. */
function stopTime() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

/** An agent that counts its runs. */
function counter(text = "hello there") {
  const runs: string[] = [];
  const agent = agentOf(async function* (turn) {
    runs.push(turn.runId);
    for (const word of text.split(" ")) yield `${word} `;
    yield { type: "usage", usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } };
  });
  return { runs, agent };
}

test("each event of a keyed stream has the completion's id and its number", async () => {
  const { agent } = counter();
  const door = await startGateway({ agents: [agent] });
  const { raw, response, chunks } = await askStream(door, hi({ stream_options: { include_usage: true } }), keyed("k"));
  const runId = response.headers.get("x-openclaw-run-id");
  const ids = [...raw.matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
  expect(ids).toEqual(ids.map((_, index) => `${runId}:${index}`));
  expect(ids.length).toBe(chunks.length + 1);
  expect(chunks.every(({ id }) => id === runId)).toBe(true);
  expect(response.headers.get("idempotency-replayed")).toBeNull();
});

test("the same request again is the same answer, byte for byte, and one run", async () => {
  const { agent, runs } = counter();
  const door = await startGateway({ agents: [agent] });
  const first = await askStream(door, hi({ user: "ann" }), keyed("k"));
  const again = await askStream(door, hi({ user: "ann" }), keyed("k"));
  expect(again.raw).toBe(first.raw);
  for (const name of ["x-openclaw-run-id", "x-openclaw-session-key"]) {
    expect(again.response.headers.get(name)).toBe(first.response.headers.get(name));
  }
  expect(again.response.headers.get("idempotency-replayed")).toBe("true");
  const json = async () => {
    const response = await door.request("/v1/chat/completions", { body: hi(), headers: keyed("json") });
    return { text: await response.text(), session: response.headers.get("x-openclaw-session-key") };
  };
  expect(await json()).toEqual(await json());
  expect(runs).toHaveLength(2);
});

test("however many ask at the same time, there is one run", async () => {
  const { agent, runs } = counter();
  const door = await startGateway({ agents: [agent] });
  const streams = await Promise.all(Array.from({ length: 20 }, () => askStream(door, hi(), keyed("s"))));
  expect(new Set(streams.map(({ raw }) => raw)).size).toBe(1);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(door, hi(), keyed("j"))));
  expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
  expect(runs).toHaveLength(2);
});

test("what is answered under a key is said without one, but for the ids", async () => {
  const { agent } = counter();
  const door = await startGateway({ agents: [agent] });
  const plain = await askStream(door);
  const { raw } = await askStream(door, hi(), keyed("k"));
  const anonymous = (text: string) =>
    said(text)
      .replaceAll(/chatcmpl-\w+/g, "ID")
      .replaceAll(/"created":\d+/g, "");
  // A keyed stream is not held up by its reader, so what came together may be told apart.
  expect(readAll(anonymous(raw))).toBe(readAll(anonymous(plain.raw)));
});

const readAll = (raw: string) => [...raw.matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text).join("");

test("another body, or another header that shapes the answer, is a conflict", async () => {
  const { agent, runs } = counter();
  const door = await startGateway({ agents: [agent] });
  await ask(door, hi(), keyed("k"));
  const others: [Record<string, unknown>, Record<string, string>][] = [
    [hi({ temperature: 1 }), {}],
    [hi({ stream: true }), {}],
    [hi(), { "x-openclaw-session-key": "trip" }],
    [hi(), { "x-openwebui-chat-id": "c" }],
    [hi(), { "x-openclaw-events": "1" }],
    [hi(), { "x-openclaw-agent-id": "main" }],
  ];
  for (const [body, headers] of others) {
    const { status, json, response } = await ask(door, body, keyed("k", headers));
    expect([status, json.error.code]).toEqual([409, "idempotency_key_conflict"]);
    expect(response.headers.get("x-should-retry")).toBe("false");
  }
  expect((await ask(door, hi(), keyed("k", { "x-request-id": "mine", "user-agent": "x" }))).status).toBe(200);
  expect(runs).toHaveLength(1);
});

test("an answer goes on after any event, as if nothing had happened", async () => {
  const { agent, runs } = counter("one two three");
  const door = await startGateway({ agents: [agent] });
  const { raw } = await askStream(door, hi(), keyed("k"));
  const events = raw.split(/(?<=\n\n)/);
  for (let had = 1; had <= events.length; had++) {
    const id = /^id: (.*)$/m.exec(events[had - 1] as string)?.[1] as string;
    const response = await door.request("/v1/chat/completions", {
      body: stream,
      headers: keyed("k", { "last-event-id": id }),
    });
    expect(response.headers.get("idempotency-replayed")).toBe("true");
    expect(events.slice(0, had).join("") + (await response.text())).toBe(raw);
  }
  expect(runs).toHaveLength(1);
});

test("a live answer that is cut goes on where it was cut", async () => {
  const { agent, say, end } = stepper();
  const door = await startGateway({ agents: [agent] });
  say("one ");
  const first = openRaw(door, stream, keyed("k"));
  const events: string[] = [];
  for await (const bytes of await first.response) {
    events.push(...String(bytes).split(/(?<=\n\n)/));
    if (events.length >= 2) break;
  }
  first.kill();
  await first.closed;
  say("two ");
  const id = /^id: (.*)$/m.exec(events.at(-1) as string)?.[1] as string;
  const rest = door.request("/v1/chat/completions", { body: stream, headers: keyed("k", { "last-event-id": id }) });
  say("three");
  end();
  const whole = await askStream(door, hi(), keyed("k"));
  expect(whole.text).toBe("one two three");
  expect(events.join("") + (await (await rest).text())).toBe(whole.raw);
});

const wrong: [string, Record<string, string>, number, string][] = [
  ["without a key", { "last-event-id": "chatcmpl-1:0" }, 400, "invalid_resume"],
  ["of another run", keyed("known", { "last-event-id": "chatcmpl-1:0" }), 400, "invalid_resume"],
  ["that is none", keyed("known", { "last-event-id": "nonsense" }), 400, "invalid_resume"],
  ["under a key nobody knows", keyed("unknown", { "last-event-id": "chatcmpl-1:0" }), 409, "resume_lost"],
];

test.each(wrong)("a last event %s is refused, and nothing is started", async (_title, headers, status, code) => {
  const { agent, runs } = counter();
  const door = await startGateway({ agents: [agent] });
  await askStream(door, hi(), keyed("known"));
  const refusal = await ask(door, stream, headers);
  expect([refusal.status, refusal.json.error.code, refusal.json.error.param]).toEqual([status, code, "last-event-id"]);
  expect(runs).toHaveLength(1);
});

test("an event that has not come yet, and an answer that is no stream, cannot be gone on with", async () => {
  const door = await startGateway({ agents: [sayer("hi")] });
  const { response } = await askStream(door, hi(), keyed("s"));
  const { json } = await ask(door, hi(), keyed("j"));
  const late = `${response.headers.get("x-openclaw-run-id")}:99`;
  expect((await ask(door, stream, keyed("s", { "last-event-id": late }))).json.error.code).toBe("invalid_resume");
  const none = keyed("j", { "last-event-id": `${json.id}:0` });
  expect((await ask(door, hi(), none)).json.error.code).toBe("invalid_resume");
});

test.each(["k k", "ü", "x".repeat(256)])("the key %j is refused", async (key) => {
  const door = await startGateway({ agents: [sayer("hi")] });
  const raw = openRaw(door, hi(), { "idempotency-key": Buffer.from(key).toString("latin1") });
  const response = await raw.response;
  expect(response.statusCode).toBe(400);
});

test("a finished answer is there after a restart, a stream and a body alike", async () => {
  const { agent, runs } = counter();
  const first = await startGateway({ agents: [agent] });
  const { raw } = await askStream(first, hi({ user: "ann" }), keyed("s"));
  const { json } = await ask(first, hi(), keyed("j"));
  await first.gateway.close();
  const second = await startGateway({ agents: [agent], stateDir: first.stateDir });
  expect((await askStream(second, hi({ user: "ann" }), keyed("s"))).raw).toBe(raw);
  expect((await ask(second, hi(), keyed("j"))).json).toEqual(json);
  expect((await ask(second, hi({ n: 1 }), keyed("j"))).json.error.code).toBe("idempotency_key_conflict");
  expect(runs).toHaveLength(2);
});

test("without sqlite, answers are there as long as the process", async () => {
  const { agent, runs } = counter();
  const door = await startGateway({ agents: [agent], config: { sessions: { store: { kind: "memory" } } } });
  const { raw } = await askStream(door, hi(), keyed("s"));
  expect((await askStream(door, hi(), keyed("s"))).raw).toBe(raw);
  expect(runs).toHaveLength(1);
});

/** An agent that fails so the first time, and then answers. */
function failsOnce(error: GatewayError, before = "") {
  let runs = 0;
  return agentOf(async function* () {
    runs++;
    if (before !== "") yield before;
    if (runs === 1) throw error;
    yield "done";
  });
}

test.each([true, false])("a failure that may be tried again leaves its key free (stream: %s)", async (isStream) => {
  const agent = failsOnce(new GatewayError("provider_overloaded", "busy"));
  const door = await startGateway({ agents: [agent] });
  const body = hi({ stream: isStream });
  const first = await ask(door, body, keyed("k"));
  expect([first.status, first.response.headers.get("x-should-retry")]).toEqual([503, "true"]);
  const again = await door.request("/v1/chat/completions", { body, headers: keyed("k") });
  expect(again.status).toBe(200);
  expect(again.headers.get("idempotency-replayed")).toBeNull();
  expect(await again.text()).toContain("done");
});

test.each([true, false])(
  "a failure that may not be is said again, also after a restart (stream: %s)",
  async (isStream) => {
    const agent = failsOnce(new GatewayError("provider_auth", "no"));
    const door = await startGateway({ agents: [agent] });
    const body = hi({ stream: isStream });
    const first = await ask(door, body, keyed("k"));
    const again = await ask(door, body, keyed("k"));
    expect([again.status, again.json]).toEqual([502, first.json]);
    await door.gateway.close();
    const next = await startGateway({ agents: [agent], stateDir: door.stateDir });
    const later = await ask(next, body, keyed("k"));
    expect([later.status, later.json]).toEqual([502, first.json]);
    expect(later.response.headers.get("x-should-retry")).toBe("false");
  },
);

test("a stream that failed in the midst is said again as it was", async () => {
  const agent = failsOnce(new GatewayError("provider_auth", "no"), "half ");
  const door = await startGateway({ agents: [agent] });
  const first = await askStream(door, hi(), keyed("k"));
  expect([first.text, first.error?.code]).toEqual(["half ", "provider_auth"]);
  expect((await askStream(door, hi(), keyed("k"))).raw).toBe(first.raw);
});

test("a refusal before the run leaves its key free", async () => {
  const { agent, started, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { sessions: { concurrency: "reject" } } });
  const running = ask(door, hi({ user: "ann" }));
  await started;
  expect((await ask(door, hi({ user: "ann" }), keyed("k"))).json.error.code).toBe("session_busy");
  end();
  await running;
  end();
  expect((await ask(door, hi({ user: "ann" }), keyed("k"))).status).toBe(200);
});

test("a run nobody watches goes on for the resume window, and ends then", async () => {
  const { agent, started, aborted } = stepper();
  const door = await startGateway({ agents: [agent], config: { gateway: { http: { resumeWindowMs: 150 } } } });
  const client = openRaw(door, stream, keyed("k"));
  await started;
  client.kill();
  await client.closed;
  const left = performance.now();
  expect(await aborted).toMatchObject({ code: "run_aborted" });
  expect(performance.now() - left).toBeGreaterThan(100);
  const { status, json } = await ask(door, stream, keyed("k"));
  expect([status, json.error.code]).toEqual([409, "run_aborted"]);
});

test("whoever comes back in time keeps the run alive, however often", async () => {
  const { agent, say, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { gateway: { http: { resumeWindowMs: 200 } } } });
  const watchers = async () => ((await (await door.request("/status")).json()) as GatewayStatus).streams.open;
  stopTime();
  say("still ");
  for (let visit = 0; visit < 4; visit++) {
    const client = openRaw(door, stream, keyed("k"));
    await client.response;
    await vi.advanceTimersByTimeAsync(150);
    client.kill();
    await expect.poll(watchers).toBe(0);
    await vi.advanceTimersByTimeAsync(150);
  }
  const last = askStream(door, hi(), keyed("k"));
  say("here");
  end();
  expect((await last).text).toBe("still here");
});

test("one that does not read holds up nobody else", async () => {
  const piece = "x".repeat(64 * 1024);
  const agent = agentOf(async function* () {
    for (let count = 0; count < 100; count++) {
      yield piece;
      await new Promise(setImmediate);
    }
  });
  const door = await startGateway({ agents: [agent] });
  const stuck = openRaw(door, stream, keyed("k"));
  (await stuck.response).pause();
  const { text } = await askStream(door, hi(), keyed("k"));
  expect(text.length).toBe(piece.length * 100);
  stuck.kill();
});

test("an answer that is too long to keep is said whole to who reads it, and cannot be gone back to", async () => {
  const piece = "x".repeat(1024 * 1024);
  const agent = agentOf(async function* () {
    for (let count = 0; count < 24; count++) yield piece;
  });
  const door = await startGateway({ agents: [agent] });
  const { text } = await askStream(door, hi(), keyed("k"));
  expect(text.length).toBe(piece.length * 24);
  const again = await door.request("/v1/chat/completions", { body: stream, headers: keyed("k") });
  expect(again.headers.get("idempotency-replayed")).toBeNull();
  await again.body?.cancel();
});

test("nor can one that is not streamed: it is said whole, and asked for anew", async () => {
  const text = "x".repeat(24 * 1024 * 1024);
  let runs = 0;
  const agent = agentOf(async function* () {
    runs++;
    yield text;
  });
  const door = await startGateway({ agents: [agent] });
  for (let round = 1; round <= 2; round++) {
    const answer = await ask(door, hi(), keyed("k"));
    expect([answer.text === text, runs]).toEqual([true, round]);
  }
});

test("cancel ends a run now, keyed or not", async () => {
  for (const headers of [keyed("k"), {}]) {
    const { agent, started, aborted, say } = stepper();
    const door = await startGateway({ agents: [agent] });
    say("half");
    const response = await door.request("/v1/chat/completions", { body: stream, headers });
    const { runId } = await started;
    const cancel = () => door.request(`/v1/chat/completions/${runId}/cancel`, { method: "POST" });
    expect(await (await cancel()).json()).toEqual({ id: runId, cancelled: true });
    expect(await aborted).toMatchObject({ code: "run_aborted" });
    expect((await readStream(response)).error?.code).toBe("run_aborted");
    expect(await (await cancel()).json()).toEqual({ id: runId, cancelled: false });
    const unknown = await door.request("/v1/chat/completions/chatcmpl-nobody/cancel", { method: "POST" });
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { error: { code: "not_found" } }]);
  }
});

test("a drain sends watchers of keyed streams away to come back, to this gateway or the next", async () => {
  const { agent, say, end } = stepper();
  const door = await startGateway({ agents: [agent] });
  say("half ");
  const response = await door.request("/v1/chat/completions", { body: stream, headers: keyed("k") });
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let had = "";
  while (!had.includes("half")) had += Buffer.from((await reader.read()).value as Uint8Array).toString();
  const closed = door.gateway.close();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest += Buffer.from(value).toString();
  }
  expect(rest).toMatch(/^retry: \d+\ndata: \{"error":\{.*"code":"gateway_draining"\}\}\n\ndata: \[DONE\]\n\n$/);
  const id = [...had.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] as string;
  const comeBack = (to: Pick<StartedGateway, "request">) =>
    to.request("/v1/chat/completions", { body: stream, headers: keyed("k", { "last-event-id": id }) });
  const back = await comeBack(door);
  expect((await ask(door, hi(), keyed("new"))).json.error.code).toBe("gateway_draining");
  say("and half");
  end();
  const whole = had + (await back.text());
  await closed;
  const next = await startGateway({ agents: [agent], stateDir: door.stateDir });
  expect(had + (await (await comeBack(next)).text())).toBe(whole);
  expect((await askStream(next, hi(), keyed("k"))).raw).toBe(whole);
});

test("ten thousand keyed answers are not held in memory", async () => {
  const { agent } = counter("a");
  const door = await startGateway({ agents: [agent] });
  const askAll = async (from: number, to: number) => {
    for (let index = from; index < to; index += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, one) => ask(door, hi(), keyed(`k${index + one}`))));
    }
  };
  await askAll(0, 1000);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  await askAll(1000, 10_000);
  collectGarbage();
  // 9,000 answers of about 400 characters, and what surrounds one, would be 10 MB and more.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(3 * 1024 * 1024);
}, 180_000);

test("another owner's runs and keys do not exist", async () => {
  const { agent, started, say, end } = stepper();
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  const theirs = gateway.runs.start({
    agent,
    turn: { messages: [{ role: "user", content: "hi" }], instructions: [], params: {}, stream: false },
    session: { owner: "somebody", key: "agent:main:x", stateless: true },
  });
  await started;
  const cancel = await door.request(`/v1/chat/completions/${theirs.id}/cancel`, { method: "POST" });
  expect([cancel.status, theirs.ended]).toEqual([404, false]);
  say("mine");
  end();
  await theirs.result;
  const late = await door.request(`/v1/chat/completions/${theirs.id}/cancel`, { method: "POST" });
  expect(late.status).toBe(404);

  const { agent: counted, runs } = counter();
  const none = await startGateway({ agents: [counted], config: { gateway: { auth: { mode: "none" } } } });
  const first = await ask(none, hi(), keyed("k"));
  await none.gateway.close();
  const token = await startGateway({ agents: [counted], stateDir: none.stateDir });
  const other = await ask(token, hi({ temperature: 1 }), keyed("k"));
  expect([other.status, runs.length, other.json.id === first.json.id]).toEqual([200, 2, false]);
});

test("a keyed stream that waits for its session's turn and never gets it is a plain error", async () => {
  const { agent, started, end } = stepper();
  const door = await startGateway({ agents: [agent], config: { gateway: { http: { commitAfterMs: 30 } } } });
  const first = ask(door, hi({ user: "ann" }));
  await started;
  const waiting = door.request("/v1/chat/completions", {
    body: hi({ user: "ann", stream: true }),
    headers: keyed("k"),
  });
  await expect.poll(() => door.gateway.runs.active).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await door.gateway.close({ drainTimeoutMs: 50 });
  const response = await waiting;
  expect([response.status, await response.json()]).toMatchObject([503, { error: { code: "gateway_draining" } }]);
  end();
  await first;
});

test("a question that is asked again under its key after a failure is there once", async () => {
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(turn.messages.map(({ content }) => content).join(", "));
    yield "half ";
    if (heard.length === 1) throw new GatewayError("provider_bad_response", "cut");
    yield "and half";
  });
  const door = await startGateway({ agents: [agent] });
  for (let attempt = 0; attempt < 2; attempt++) await askStream(door, hi({ user: "ann" }), keyed("k"));
  await ask(door, hi({ user: "ann", messages: [{ role: "user", content: "more" }] }));
  expect(heard).toEqual(["hi", "hi", "hi, half and half, more"]);
});

test("a slow reader of an answer of yesterday is not cut while it reads", async () => {
  const agent = sayer(...Array.from({ length: 120 }, () => "x".repeat(100_000)));
  const door = await startGateway({ agents: [agent], config: { gateway: { http: { slowClientMs: 8000 } } } });
  await askStream(door, hi(), keyed("k"));
  stopTime();
  const response = await openRaw(door, stream, keyed("k")).response;
  let length = 0;
  let last = "";
  for await (const bytes of response) {
    length += bytes.length;
    last = String(bytes).slice(-20);
    // Half a MB a second, for 24 seconds.
    await vi.advanceTimersByTimeAsync(bytes.length / 500);
  }
  expect([length > 12_000_000, last.endsWith("data: [DONE]\n\n")]).toEqual([true, true]);
});

test("an answer that is being kept is past cancelling", async () => {
  const { agent, started, say, end } = stepper();
  const door = await startGateway({ agents: [agent] });
  const answer = ask(door, hi({ user: "ann", store: true }), keyed("k"));
  const { runId } = await started;
  say("done");
  end();
  const cancels = [];
  while (door.gateway.runs.active > 0) {
    const response = await door.request(`/v1/chat/completions/${runId}/cancel`, { method: "POST" });
    cancels.push(((await response.json()) as { cancelled: boolean }).cancelled);
    if (cancels.at(-1)) break;
  }
  const { status } = await answer;
  const kept = await door.request(`/v1/chat/completions/${runId}`);
  // Whichever came first: told and kept agree.
  expect([status, kept.status]).toEqual(cancels.includes(true) ? [409, 404] : [200, 200]);
});

test("who has had the last event is told that there is no more", async () => {
  const door = await startGateway({ agents: [sayer("hi")] });
  const { raw } = await askStream(door, hi(), keyed("k"));
  const last = [...raw.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] as string;
  const response = await door.request("/v1/chat/completions", {
    body: stream,
    headers: keyed("k", { "last-event-id": last }),
  });
  expect(response.status).toBe(204);
});
