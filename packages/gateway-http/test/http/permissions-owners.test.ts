import { expect, test } from "vitest";
import { agentOf } from "../support/agents.ts";
import { ask, hi, openRaw } from "../support/chat.ts";
import { authWith, bearer } from "../support/keys.ts";
import { ROUTES } from "../support/routes.ts";
import { startGateway } from "../support/start-gateway.ts";

/** What ann made. */
interface Things {
  /** A stored completion, which is also under the idempotency key `k1`, and ended. */
  completion: string;
  /** A session, and the first message in it. */
  session: string;
  message: string;
  /** A run under way in the session `agent:poet:busy`, streamed. */
  run: string;
}

interface Call {
  path(things: Things): string;
  body?(things: Things): object;
  /** What ann gets. */
  own: object;
  /** What all others get. */
  foreign: object;
}

const NOT_THERE = { status: 404, error: { code: "not_found" } };
const NOTHING = { status: 200, object: "list", data: [], has_more: false };
const OK = { status: 200 };

const encode = encodeURIComponent;
const ofCompletion = (rest = "") => ({ path: ({ completion }: Things) => `/v1/chat/completions/${completion}${rest}` });
const ofSession = (rest = "") => ({ path: ({ session }: Things) => `/v1/sessions/${encode(session)}${rest}` });

/** For every route that leads to things of a caller: how ann reaches them there. What takes them away comes last. */
const CALLS: Record<string, Call[]> = {
  "GET /v1/chat/completions": [
    {
      path: () => "/v1/chat/completions",
      own: { data: [{ metadata: { of: "ann" } }] },
      foreign: NOTHING,
    },
    { path: () => "/v1/chat/completions?metadata[of]=ann", own: { data: [{}] }, foreign: NOTHING },
    {
      path: ({ completion }) => `/v1/chat/completions?after=${completion}`,
      own: NOTHING,
      foreign: { status: 400, error: { code: "invalid_value", param: "after" } },
    },
  ],
  "GET /v1/chat/completions/:id": [{ ...ofCompletion(), own: { metadata: { of: "ann" } }, foreign: NOT_THERE }],
  "GET /v1/chat/completions/:id/messages": [
    { ...ofCompletion("/messages"), own: { data: [{ content: "hi" }] }, foreign: NOT_THERE },
  ],
  "POST /v1/chat/completions/:id": [
    { ...ofCompletion(), body: () => ({ metadata: { of: "me" } }), own: OK, foreign: NOT_THERE },
  ],
  "GET /v1/sessions": [
    { path: () => "/v1/sessions", own: { data: [{}, {}] }, foreign: NOTHING },
    { path: () => "/v1/sessions?agent=poet&search=trip", own: { data: [{ messages: 2 }] }, foreign: NOTHING },
    {
      path: ({ session }) => `/v1/sessions?after=${encode(session)}`,
      own: OK,
      foreign: { status: 400, error: { code: "invalid_value", param: "after" } },
    },
  ],
  "GET /v1/sessions/*": [
    { ...ofSession(), own: { messages: 2 }, foreign: NOT_THERE },
    { path: ({ session }) => `/v1/sessions/${session}`, own: OK, foreign: NOT_THERE },
  ],
  "GET /v1/sessions/:key/messages": [
    { ...ofSession("/messages"), own: { data: [{ content: "hi" }, {}] }, foreign: NOT_THERE },
    {
      path: ({ session, message }) => `/v1/sessions/${encode(session)}/messages?leaf=${message}`,
      own: { data: [{ content: "hi" }] },
      foreign: NOT_THERE,
    },
  ],
  "GET /v1/sessions/:key/branches": [{ ...ofSession("/branches"), own: { data: [{}] }, foreign: NOT_THERE }],
  "PATCH /v1/sessions/*": [{ ...ofSession(), body: () => ({ title: "mine" }), own: OK, foreign: NOT_THERE }],
  "POST /v1/sessions/:key/head": [
    { ...ofSession("/head"), body: ({ message }) => ({ id: message }), own: OK, foreign: NOT_THERE },
  ],
  "POST /v1/sessions/:key/fork": [
    {
      ...ofSession("/fork"),
      body: ({ message }) => ({ at: message, key: "copy" }),
      own: { status: 201, id: "agent:poet:copy" },
      foreign: NOT_THERE,
    },
  ],
  "DELETE /v1/sessions/*": [{ ...ofSession(), own: { deleted: true }, foreign: NOT_THERE }],
  "DELETE /v1/chat/completions/:id": [{ ...ofCompletion(), own: { deleted: true }, foreign: NOT_THERE }],
  "POST /v1/sessions/:key/abort": [
    { ...ofSession("/abort"), own: NOT_THERE, foreign: NOT_THERE },
    {
      path: () => "/v1/sessions/agent:poet:busy/abort",
      own: { aborted: expect.stringMatching(/^chatcmpl-/) },
      foreign: NOT_THERE,
    },
  ],
  "POST /v1/chat/completions/:id/cancel": [
    {
      path: ({ run }) => `/v1/chat/completions/${run}/cancel`,
      own: { id: expect.stringMatching(/^chatcmpl-/) },
      foreign: NOT_THERE,
    },
    { ...ofCompletion("/cancel"), own: { cancelled: false }, foreign: NOT_THERE },
  ],
};

const STORED = hi({ model: "openclaw:poet", store: true, metadata: { of: "ann" } });
const KEYED = { "idempotency-key": "k1" };

/** Ann's things at a gateway of one agent, `poet`. It waits when it is told to. */
async function start(store: "memory" | "sqlite") {
  const runs: string[] = [];
  const finish = Promise.withResolvers<void>();
  const poet = agentOf(
    async function* ({ messages }, signal) {
      const said = String(messages.at(-1)?.content);
      runs.push(said);
      yield `re: ${said}`;
      if (said !== "wait") return;
      const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      await Promise.race([finish.promise, gone]);
      signal.throwIfAborted();
      yield " done";
    },
    { id: "poet" },
  );
  const keys = { ann: { agents: ["poet"] }, bob: { agents: ["poet"] } };
  const door = await startGateway({ agents: [poet], store, config: { gateway: { auth: authWith(keys) } } });

  async function call(who: string, method: string, path: string, body?: object) {
    const type = body ? { "content-type": "application/json" } : {};
    const response = await fetch(`${door.url}${path}`, {
      method,
      headers: { ...type, ...bearer(who) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  }

  const stored = await ask(door, STORED, { ...KEYED, ...bearer("ann") });
  const inSession = { "x-openclaw-session-key": "agent:poet:trip", ...bearer("ann") };
  expect((await ask(door, hi(), inSession)).text).toBe("re: hi");
  const inBusy = { "x-openclaw-session-key": "agent:poet:busy", ...bearer("ann") };
  const waiting = hi({ stream: true, messages: [{ role: "user", content: "wait" }] });
  const running = await openRaw(door, waiting, inBusy).response;
  const { data } = (await call("ann", "GET", "/v1/sessions/agent:poet:trip/messages")) as unknown as {
    data: { id: string }[];
  };
  const things: Things = {
    completion: stored.json.id,
    session: "agent:poet:trip",
    message: data[0]?.id ?? "",
    run: String(running.headers["x-openclaw-run-id"]),
  };
  return { ...door, call, things, running, finish: finish.resolve, runs };
}

/** The rest of a stream. */
async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const piece of stream) text += piece;
  return text;
}

test("every route that leads to things of a caller is tried", () => {
  const owned = Object.entries(ROUTES).filter(([, scope]) => scope === "chat" || scope === "sessions");
  // Asking is tried below.
  const tried = [...Object.keys(CALLS), "POST /v1/chat/completions"];
  expect(tried.sort()).toEqual(owned.map(([route]) => route).sort());
});

for (const store of ["memory", "sqlite"] as const) {
  test(`what a key made is there for nobody else, nor can it be changed (${store})`, async () => {
    const { call, things, running, finish, runs } = await start(store);
    const ran = runs.length;
    for (const who of ["bob", "operator"]) {
      for (const [route, calls] of Object.entries(CALLS)) {
        const [method = ""] = route.split(" ");
        for (const { path, body, foreign } of calls) {
          const answer = await call(who, method, path(things), body?.(things));
          expect(answer, `${who}: ${method} ${path(things)}`).toMatchObject(foreign);
        }
      }
    }
    expect(runs).toHaveLength(ran);
    finish();
    expect(await textOf(running)).toMatch(/ done.*"finish_reason":"stop".*\[DONE\]/s);
    // And it is all there for ann, so the calls are right.
    for (const [route, calls] of Object.entries(CALLS)) {
      const [method = ""] = route.split(" ");
      for (const { path, body, own } of calls.filter(({ path }) => !path(things).endsWith("busy/abort"))) {
        const answer = await call("ann", method, path(things), body?.(things));
        expect(answer, `ann: ${method} ${path(things)}`).toMatchObject(own);
      }
    }
  });
}

test("a run is ended by its own key", async () => {
  for (const path of [
    () => "/v1/sessions/agent:poet:busy/abort",
    ({ run }: Things) => `/v1/chat/completions/${run}/cancel`,
  ]) {
    const { call, things, running } = await start("memory");
    expect(await call("bob", "POST", path(things))).toMatchObject(NOT_THERE);
    expect(await call("ann", "POST", path(things))).toMatchObject({ status: 200 });
    expect(await textOf(running)).toContain('"code":"run_aborted"');
  }
});

test("an idempotency key is another one for another key", async () => {
  const { things, runs, ...door } = await start("memory");
  const [ran, event] = [runs.length, `${things.completion}:1`];
  const send = (who: string, body: object, headers: object = {}) =>
    ask(door, body as typeof STORED, { ...KEYED, ...headers, ...bearer(who) });
  // Another body would be a conflict, if there were a record.
  const other = hi({ model: "openclaw:poet", messages: [{ role: "user", content: "of bob" }] });
  const bobs = await send("bob", other);
  expect(bobs).toMatchObject({ status: 200, text: "re: of bob" });
  expect(bobs.response.headers.get("idempotency-replayed")).toBeNull();
  expect(runs.slice(ran)).toEqual(["of bob"]);
  const resumed = await send("operator", { ...STORED, stream: true }, { "last-event-id": event });
  expect(resumed).toMatchObject({ status: 409, json: { error: { code: "resume_lost" } } });
  expect(runs.slice(ran)).toEqual(["of bob"]);
  const operators = await send("operator", STORED);
  expect(operators.json.id).not.toBe(things.completion);
  expect(operators.response.headers.get("idempotency-replayed")).toBeNull();
  expect(runs.slice(ran)).toEqual(["of bob", "hi"]);
  // Ann's is as it was.
  const anns = await send("ann", STORED);
  expect(anns.json.id).toBe(things.completion);
  expect(anns.response.headers.get("idempotency-replayed")).toBe("true");
  expect(await send("ann", other)).toMatchObject({
    status: 409,
    json: { error: { code: "idempotency_key_conflict" } },
  });
  expect(runs.slice(ran)).toEqual(["of bob", "hi"]);
});

test("the same session key is another session for another key: no word of it is heard, and no lane is shared", async () => {
  const { call, runs, finish, running, ...door } = await start("memory");
  // Ann's run goes on in a session of this name.
  for (const key of ["agent:poet:busy", "agent:poet:trip"]) {
    const answer = await ask(door, hi(), { "x-openclaw-session-key": key, ...bearer("bob") });
    expect(answer).toMatchObject({ status: 200, text: "re: hi" });
    expect(await call("bob", "GET", `/v1/sessions/${key}`)).toMatchObject({ messages: 2, active_run: null });
  }
  expect(await call("ann", "GET", "/v1/sessions/agent:poet:trip")).toMatchObject({ messages: 2 });
  expect(await call("bob", "DELETE", "/v1/sessions/agent:poet:trip")).toMatchObject({ deleted: true });
  expect(await call("ann", "GET", "/v1/sessions/agent:poet:trip")).toMatchObject({ messages: 2 });
  finish();
  expect(await textOf(running)).toContain("[DONE]");
});
