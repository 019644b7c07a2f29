import { setImmediate as nextLoop } from "node:timers/promises";
import { expect, test } from "vitest";
import { defineAgent } from "../../src/index.ts";
import { sayer, stepper } from "../support/agents.ts";
import { ask, hi } from "../support/chat.ts";
import { openSocket, type RawAnswer, readRaw } from "../support/raw-http.ts";
import { TOKEN } from "../support/start-gateway.ts";
import { BOBS_TOKEN, bob, configOf, type Reloadable, startReloadable } from "./reloadable.ts";

interface Slow {
  path?: string;
  method?: string;
  token?: string;
  headers?: string[];
  body?: object;
}

/** Sends a request, does something between its head and its body, and reads the answer. */
async function between(door: Reloadable, slow: Slow, change: () => Promise<unknown>): Promise<RawAnswer> {
  const { path = "/v1/chat/completions", method = "POST", token = BOBS_TOKEN, headers = [], body = hi() } = slow;
  const text = JSON.stringify(body);
  const { socket, seen, closed } = openSocket(door.port);
  const head = [
    `${method} ${path} HTTP/1.1`,
    "host: 127.0.0.1",
    `authorization: Bearer ${token}`,
    "content-type: application/json",
    `content-length: ${text.length}`,
    "expect: 100-continue",
    "connection: close",
    ...headers,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  // The gateway has let it in by then.
  await seen(/100 Continue\r\n\r\n/);
  await nextLoop();
  await change();
  socket.write(text);
  return readRaw((await closed).replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ""));
}

const SESSION = "/v1/sessions/agent%3Amain%3Aone";
const KEYS = ["chat", "sessions", "models"];

const WITHDRAWN: [what: string, slow: Slow, before: object, after: object[], status: number, code: string][] = [
  ["is gone", {}, {}, [], 401, "invalid_api_key"],
  ["has another token", {}, {}, [bob({ token: `${BOBS_TOKEN}-2` })], 401, "invalid_api_key"],
  ["is another's by now", {}, {}, [{ id: "ann", token: BOBS_TOKEN }], 401, "invalid_api_key"],
  ["lost the agent", {}, {}, [bob({ agents: ["another"] })], 403, "agent_not_allowed"],
  ["lost the scope", {}, {}, [bob({ scopes: ["models"] })], 403, "missing_scope"],
  [
    "lost override-model",
    { headers: ["x-openclaw-model: demo"] },
    { scopes: [...KEYS, "override-model"] },
    [bob({ scopes: KEYS })],
    403,
    "missing_scope",
  ],
  ["is gone (PATCH)", { path: SESSION, method: "PATCH", body: { title: "x" } }, {}, [], 401, "invalid_api_key"],
  ["is gone (POST)", { path: `${SESSION}/head`, body: { id: "x" } }, {}, [], 401, "invalid_api_key"],
  ["lost sessions", { path: `${SESSION}/fork`, body: {} }, {}, [bob({ scopes: ["chat"] })], 403, "missing_scope"],
  ["is gone (metadata)", { path: "/v1/chat/completions/x", body: { metadata: {} } }, {}, [], 401, "invalid_api_key"],
];

test.each(WITHDRAWN)(
  "a request whose body is still coming when its key %s is refused, and does nothing",
  async (_what, slow, before, after, status, code) => {
    let runs = 0;
    const agent = defineAgent({
      id: "main",
      async *run() {
        runs++;
        yield "x";
      },
    });
    const door = await startReloadable(configOf({}, bob(before)), [agent]);
    await ask(door, hi(), { ...door.asBob, "x-openclaw-session-key": "one" });
    const answer = await between(door, slow, () => door.change(configOf({}, ...after)));
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([status, code]);
    expect(runs).toBe(1);
    await door.change(configOf({}, bob()));
    const session = await door.request(SESSION, { headers: door.asBob });
    expect(await session.json()).toMatchObject({ title: null, messages: 2 });
  },
);

test("a request whose body is still coming when the gateway's token changes is refused, with the new one served", async () => {
  const door = await startReloadable(configOf({}, bob()), [sayer("x")]);
  const rotated = configOf({ gateway: { auth: { token: "another-token-0123456789" } } }, bob());
  const rotate = () => door.change(rotated);
  expect((await between(door, { token: TOKEN }, rotate)).status).toBe(401);
  expect((await between(door, { token: "another-token-0123456789" }, rotate)).status).toBe(200);
  // Others go on as before.
  expect((await between(door, {}, () => door.change(configOf({}, bob())))).status).toBe(200);
});

test("what the key may do more by now, it may", async () => {
  const before = bob({ agents: ["another"], scopes: ["chat"] });
  const door = await startReloadable(configOf({}, before), [sayer("x")]);
  const slow = { headers: ["x-openclaw-model: demo"] };
  expect((await between(door, slow, async () => {})).status).toBe(403);
  const more = configOf({}, bob({ scopes: ["chat", "override-model"] }));
  expect((await between(door, slow, () => door.change(more))).status).toBe(200);
});

test("its limits are those of now", async () => {
  const agent = stepper();
  const door = await startReloadable(configOf({}, bob()), [agent.agent]);
  agent.say("on");
  const running = await door.request("/v1/chat/completions", { body: hi({ stream: true }), headers: door.asBob });
  await agent.started;
  const answer = await between(door, {}, () => door.change(configOf({}, bob({ limits: { concurrentRuns: 1 } }))));
  expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([429, "rate_limit_exceeded"]);
  for (let index = 0; index < 2; index++) agent.end();
  await running.text();
});
