import fc from "fast-check";
import { expect, test } from "vitest";
import { agentOf } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { exchange, expectEnvelope, HEAD, readRaw } from "../support/raw-http.ts";
import { type StartedGateway, startGateway, TOKEN } from "../support/start-gateway.ts";

const CHAT = "/v1/chat/completions";
/** fast-check prints it, and the smallest case it found, when a property fails. */
const SEED = 20261122;
const LONE = "\ud800";

/** A request with every member that means something, all of them in order. */
const FULL = {
  model: "openclaw",
  messages: [
    { role: "system", content: "be kind", name: "s" },
    { role: "developer", content: [{ type: "text", text: "be brief" }] },
    { role: "user", content: [{ type: "text", text: "hi" }], name: "u" },
    {
      role: "assistant",
      content: null,
      refusal: null,
      tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", content: "42", tool_call_id: "c1" },
  ],
  stream: true,
  stream_options: { include_usage: true },
  tools: [
    { type: "function", function: { name: "f", description: "d", parameters: { type: "object" }, strict: true } },
  ],
  tool_choice: { type: "function", function: { name: "f" } },
  parallel_tool_calls: true,
  response_format: { type: "json_schema", json_schema: { name: "n", schema: { type: "object" }, strict: false } },
  temperature: 1,
  top_p: 0.5,
  frequency_penalty: 0,
  presence_penalty: 0,
  seed: 1,
  stop: ["a", "b"],
  max_completion_tokens: 5,
  max_tokens: 5,
  reasoning_effort: "low",
  metadata: { k: "v" },
  store: false,
  n: 1,
  logprobs: false,
  top_logprobs: 0,
  modalities: ["text"],
  audio: null,
  functions: null,
  function_call: null,
};

const echo = agentOf(async function* ({ messages, instructions }) {
  yield JSON.stringify([instructions, messages]);
});

/** Every place in a value where something else could stand. */
function pathsOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Array.isArray(value) ? value.map((item, index) => [index, item] as const) : Object.entries(value);
  return [path, ...inner.flatMap(([key, item]) => pathsOf(item, [...path, key]))];
}

function withValue(root: unknown, [key, ...rest]: (string | number)[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = (Array.isArray(root) ? [...root] : { ...(root as object) }) as Record<string | number, unknown>;
  // Defined, not assigned: `__proto__` is to be a member like any other.
  Object.defineProperty(copy, key, { value: withValue(copy[key], rest, value), enumerable: true, configurable: true });
  return copy;
}

/** Whether an edit before this one left the place there. */
function reaches(root: unknown, path: (string | number)[]): boolean {
  return path.every((key) => {
    if (typeof root !== "object" || root === null || !Object.hasOwn(root, key)) return false;
    root = (root as Record<string | number, unknown>)[key];
    return true;
  });
}

function nest(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const junkText = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\u0000",
    LONE,
    `a${LONE}`,
    "\udfff",
    "__proto__",
    "constructor",
    "\ufeff",
    "\u2028",
    "agent:x:y",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constant("x".repeat(100_000)),
);
const junk = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, 0.5, 2 ** 53, [], {}, [[]], [null], [{}]),
  },
  { weight: 4, arbitrary: junkText },
  { weight: 2, arbitrary: fc.jsonValue() },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom("__proto__", "prototype", "constructor", "toString", "type"), junkText),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(nest(70), Array(3000).fill(0), Array(3000).fill({ role: "user", content: "x" })),
  },
);

/** Whatever was sent: an answer that is whole, or a refusal in the envelope, never our fault. */
async function expectSound(response: Response): Promise<void> {
  const body = await response.text();
  expect(response.status, body.slice(0, 300)).toBeLessThan(500);
  if (response.status !== 200) {
    const { code, param } = expectEnvelope(response.status, body);
    const isAboutBody = /^The body/.test(JSON.parse(body).error.message);
    if (["invalid_type", "invalid_value", "unsupported_parameter"].includes(code) && !isAboutBody) {
      expect(param, body.slice(0, 300)).toMatch(/^\w+/);
      expect((param as string).length).toBeLessThanOrEqual(200);
    }
  } else if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    expect(body.endsWith("\n\ndata: [DONE]\n\n")).toBe(true);
  } else {
    expect(JSON.parse(body).choices[0].finish_reason).toBe("stop");
  }
}

async function expectUnharmed({ request }: StartedGateway): Promise<void> {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  const response = await request(CHAT, { body: hi() });
  expect(response.status).toBe(200);
}

const send = ({ url }: StartedGateway, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(url + CHAT, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
    signal: AbortSignal.timeout(30_000),
  });

test("the request that the others spoil is served", async () => {
  const { request } = await startGateway({ agents: [echo] });
  expect((await request(CHAT, { body: FULL })).status).toBe(200);
});

test("null for every optional member, alone and all together, is as good as absent", async () => {
  const { request } = await startGateway({ agents: [echo] });
  const optional = Object.keys(FULL).filter((key) => key !== "messages");
  for (const key of [...optional, "user"]) {
    // Two members mean nothing without the one that is taken away.
    const without = { stream: { stream_options: null }, tools: { tool_choice: null } }[key] ?? {};
    const response = await request(CHAT, { body: { ...FULL, ...without, [key]: null } });
    expect(response.status, `${key}: ${await response.text()}`).toBe(200);
  }
  const nothing = Object.fromEntries([...optional, "user"].map((key) => [key, null]));
  const messages = [
    { role: "user", content: "hi", name: null },
    {
      role: "assistant",
      content: "yes",
      name: null,
      refusal: null,
      tool_calls: null,
      audio: null,
      function_call: null,
    },
    { role: "user", content: "hi" },
  ];
  expect((await request(CHAT, { body: { ...nothing, messages } })).status).toBe(200);
  expect((await request(CHAT, { body: hi({ tools: [], stop: [] }) })).status).toBe(200);
});

test("anything anywhere in a request is answered soundly", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const path = fc.constantFrom(...pathsOf(FULL));
  const edits = fc.array(fc.tuple(path, junk), { minLength: 1, maxLength: 2 });
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(edits, async (changes) => {
      let body: unknown = FULL;
      for (const [where, value] of changes) if (reaches(body, where)) body = withValue(body, where, value);
      const response = await send(gateway, JSON.stringify(body));
      statuses.add(response.status);
      await expectSound(response);
    }),
    { seed: SEED, numRuns: 400 },
  );
  // The cases reach past the first check: some are served, some name no agent, some a broken session.
  expect(statuses).toEqual(new Set([200, 400, 404]));
  await expectUnharmed(gateway);
}, 60_000);

test("members nobody knows change nothing, whatever they are called", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const key = fc.oneof(junkText, fc.constantFrom("__proto__", "prototype", "hasOwnProperty", "then", "toJSON"));
  await fc.assert(
    fc.asyncProperty(key, junk, async (name, value) => {
      fc.pre(!(name in FULL) && name !== "user");
      const response = await send(gateway, JSON.stringify(withValue(hi(), [name], value)));
      if (response.status === 400) expect(await response.text()).toContain("nested deeper");
      else expect(response.status).toBe(200);
    }),
    { seed: SEED, numRuns: 100 },
  );
  await expectUnharmed(gateway);
});

test("bytes that are no JSON are 400 invalid_json", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const text = JSON.stringify(hi());
  const broken = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).filter((bytes) => !isJson(bytes)),
    fc.nat(text.length - 1).map((length) => Buffer.from(text.slice(0, length))),
    fc
      .nat(text.length)
      .map((at) => Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.of(0xff), Buffer.from(text.slice(at))])),
    fc.constantFrom("utf16le" as const, "utf-16le" as const).map((encoding) => Buffer.from(text, encoding)),
    fc
      .constantFrom("{'a':1}", "{a:1}", "[1,]", "// x\n{}", "NaN", "{}{}", "undefined", "\u0000")
      .map((s) => Buffer.from(s)),
  );
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      const response = await send(gateway, new Uint8Array(bytes));
      expect(expectEnvelope(response.status, await response.text()).code).toBe("invalid_json");
    }),
    { seed: SEED, numRuns: 200 },
  );
  await expectUnharmed(gateway);
});

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(bytes).toString("utf8"));
    return true;
  } catch {
    return false;
  }
}

test("bodies made to hurt are refused, and soon", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const list = (count: number, item: string) => `[${Array(count).fill(item).join(",")}]`;
  const message = (content: string) => `{"messages":[{"role":"user","content":${content}}]}`;
  const bodies: Record<string, string> = {
    "10,000 levels": `{"messages":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
    "a million levels": `{"x":${'{"a":'.repeat(1e6)}1${"}".repeat(1e6)},"messages":[]}`,
    "a million open brackets": "[".repeat(1e6),
    "100,000 wrong messages": `{"messages":${list(100_000, "0")}}`,
    "100,000 wrong parts": message(list(100_000, "0")),
    "100,000 wrong calls": `{"messages":[{"role":"assistant","tool_calls":${list(100_000, "{}")}}]}`,
    "100,000 wrong tools": `{"messages":[],"tools":${list(100_000, "null")}}`,
    "100,000 stops": `{"messages":[{"role":"user","content":"x"}],"stop":${list(100_000, '"a"')}}`,
    "100,000 modalities": `{"messages":[{"role":"user","content":"x"}],"modalities":${list(100_000, "1")}}`,
    "100,000 pairs": `{"messages":[],"metadata":{${Array.from({ length: 1e5 }, (_, i) => `"${i}":1`).join(",")}}}`,
    "a user of a megabyte": `{"user":"${"u".repeat(1e6)}","messages":[{"role":"user","content":"x"}]}`,
    "a model of a megabyte": `{"model":"${"m".repeat(1e6)}","messages":[{"role":"user","content":"x"}]}`,
    "a number of a megabyte": `{"temperature":${"9".repeat(1e6)},"messages":[{"role":"user","content":"x"}]}`,
    "half a pair of surrogates as a session": `{"user":"\\ud800","messages":[{"role":"user","content":"x"}]}`,
  };
  for (const [what, body] of Object.entries(bodies)) {
    const response = await send(gateway, body);
    expect(expectEnvelope(response.status, await response.text()), what).toBeDefined();
    expect(response.status, what).toBe(400);
  }
  await expectUnharmed(gateway);
});

test("prototypes stay as they are", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const evil = '{"polluted":1,"role":"user","content":"x"}';
  for (const key of ["__proto__", "\\u005f_proto__"]) {
    const body = `{"${key}":${evil},"constructor":{"prototype":${evil}},"metadata":{"${key}":"x"},
      "messages":[{"role":"user","content":"hi","${key}":${evil}}],
      "tools":[{"type":"function","function":{"name":"f","parameters":{"${key}":${evil}}}}]}`;
    await expectSound(await send(gateway, body));
    await expectUnharmed(gateway);
  }
  const headers = "__proto__: x\r\nconstructor: x\r\nprototype: x\r\nx-openclaw-__proto__: x\r\n";
  const text = await exchange(gateway.port, `GET /v1/models HTTP/1.1\r\n${HEAD}${headers}connection: close\r\n\r\n`);
  expect(readRaw(text).status).toBe(200);
  await expectUnharmed(gateway);
});

test("of a member that is there twice the last one counts; a byte order mark is passed over", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const twice = '{"messages":5,"messages":[{"role":"user","content":"second"}]}';
  expect(await (await send(gateway, twice)).text()).toContain("second");
  expect((await send(gateway, `\ufeff${JSON.stringify(hi())}`)).status).toBe(200);
});

test("encodings and types other than plain JSON are 415, unread", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const body = JSON.stringify(hi());
  const types = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonx",
    "text/json",
  ];
  types.push(
    "application/json; charset=utf-16",
    "application/json;charset=latin1",
    "json",
    "*/*",
    `application/json${" ".repeat(9000)}x`,
  );
  for (const type of types) expect((await send(gateway, body, { "content-type": type })).status, type).toBe(415);
  expect((await send(gateway, body, { "content-type": "" })).status).toBe(415);
  for (const encoding of ["gzip", "br", "deflate", "zstd", "identity, gzip", "x"]) {
    expect((await send(gateway, body, { "content-encoding": encoding })).status, encoding).toBe(415);
  }
  const good = [
    "application/json",
    "Application/JSON; charset=UTF-8",
    'application/json;charset="utf-8"',
    "application/json;",
  ];
  for (const type of good) expect((await send(gateway, body, { "content-type": type })).status, type).toBe(200);
  expect((await send(gateway, body, { "content-encoding": "identity" })).status).toBe(200);
});

test("headers and chunks of any bytes get an answer or a refusal, and the connection ends", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const name = fc.oneof(
    fc.constantFrom("x-openclaw-agent-id", "x-openclaw-session-key", "x-openclaw-model", "x-openclaw-message-channel"),
    fc.constantFrom(
      "x-openclaw-events",
      "x-openclaw-task",
      "idempotency-key",
      "last-event-id",
      "x-request-id",
      "user-agent",
    ),
    fc.constantFrom(
      "x-openwebui-chat-id",
      "content-length",
      "transfer-encoding",
      "content-type",
      "host",
      "origin",
      "cookie",
    ),
    fc.constantFrom("accept", "expect", "upgrade", "te", "authorization", "__proto__", "x-forwarded-for", "range"),
    fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 10 }),
  );
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const value = fc.oneof(
    fc.string({ unit: byte, maxLength: 30 }),
    fc.constantFrom(
      "",
      " ",
      "%",
      "%ff",
      "%00",
      "%F0%9F%98%80",
      "agent:main:x",
      "agent::",
      "agent:x",
      "main",
      "chunked",
      "-1",
      "0",
      "5",
    ),
    fc.constant("v".repeat(5000)),
  );
  // Chunks that end where they should not would be waited for: half of the time the body is a plain one.
  const body = fc.constantFrom(JSON.stringify(hi()), JSON.stringify(hi({ stream: true })), "{", "");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 4 }), body, async (lines, text) => {
      const extra = lines.map(([key, content]) => `${key}: ${content}\r\n`).join("");
      const head = `POST ${CHAT} HTTP/1.1\r\n${HEAD}${extra}connection: close\r\ncontent-length: ${text.length}\r\n\r\n`;
      const answer = await exchange(gateway.port, head + text);
      expect(answer).toMatch(/^(HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (200|4\d\d) /);
      const { status, headers, body: said } = readRaw(answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ""));
      if (status !== 200) expectEnvelope(status, said);
      expect(headers["x-request-id"]).toMatch(/^[\w.:-]{1,128}$/);
    }),
    { seed: SEED, numRuns: 300 },
  );
  await expectUnharmed(gateway);
}, 60_000);

test("lone surrogates travel through an answer without breaking it", async () => {
  const gateway = await startGateway({ agents: [echo] });
  const content = `a${LONE}b\udfffc`;
  const response = await send(
    gateway,
    JSON.stringify(hi({ model: `openclaw`, messages: [{ role: "user", content }] })),
  );
  const { choices } = (await response.json()) as { choices: [{ message: { content: string } }] };
  expect(JSON.parse(choices[0].message.content)[1][0].content).toBe(content);
});
