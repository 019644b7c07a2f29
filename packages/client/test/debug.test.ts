import { gzipSync } from "node:zlib";
import { expect, test, vi } from "vitest";
import { debug } from "../src/debug/index.ts";
import { type ClientOptions, createClient, type Middleware } from "../src/index.ts";
import { failureOf, hi, makeClient, TOKEN } from "./support/client.ts";
import { gone, startServer } from "./support/raw-server.ts";
import { bodyOf, DONE, error, finish, frame, HELLO, SSE, START, say } from "./support/wire.ts";

/** A client that prints, without its times. */
function printing(
  fetch: NonNullable<ClientOptions["fetch"]>,
  options: Partial<ClientOptions> & { maxLength?: number } = {},
) {
  const lines: string[] = [];
  const { maxLength, ...others } = options;
  const print = (line: string) => lines.push(line.replace(/\(\d+ ms\)/, "(… ms)"));
  const middleware = [debug({ print, ...(maxLength !== undefined && { maxLength }) })];
  return { lines, client: makeClient({ maxRetries: 0, middleware, fetch, ...others }) };
}

test("a request and its answer are printed", async () => {
  const { lines, client } = printing(async () =>
    Response.json({ id: "c" }, { status: 201, statusText: "Created", headers: { "x-request-id": "req-1" } }),
  );
  await client.chat.completions.create(hi);
  await client.models.list();
  expect(lines).toEqual([
    "[openclaw 1] > POST http://gateway.test/v1/chat/completions",
    "[openclaw 1] > accept: application/json",
    "[openclaw 1] > authorization: ***",
    "[openclaw 1] > content-type: application/json",
    "[openclaw 1] > idempotency-key: ***",
    `[openclaw 1] > ${JSON.stringify(hi)}`,
    "[openclaw 1] < 201 Created (… ms)",
    "[openclaw 1] < content-type: application/json",
    "[openclaw 1] < x-request-id: req-1",
    '[openclaw 1] < {"id":"c"}',
    "[openclaw 1] < end (… ms)",
    "[openclaw 2] > GET http://gateway.test/v1/models",
    "[openclaw 2] > accept: application/json",
    "[openclaw 2] > authorization: ***",
    "[openclaw 2] < 201 Created (… ms)",
    "[openclaw 2] < content-type: application/json",
    "[openclaw 2] < x-request-id: req-1",
    '[openclaw 2] < {"id":"c"}',
    "[openclaw 2] < end (… ms)",
  ]);
});

test("a stream is printed line by line, as it comes, whatever its pieces are", async () => {
  const bytes = new TextEncoder().encode(`: keep-alive\r\n\r\n${START}${say("Zürich 🦞")}${finish()}${DONE}`);
  const { lines, client } = printing(
    async () => new Response(bodyOf(Array.from(bytes, (byte) => Uint8Array.of(byte))), { headers: SSE }),
  );
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const from = lines.length;
  expect(lines.at(-1)).toBe(`[openclaw 1] < content-type: ${SSE["content-type"]}`);
  const chunks = stream[Symbol.asyncIterator]();
  await chunks.next();
  expect(lines.slice(from)).toEqual(["[openclaw 1] < : keep-alive", `[openclaw 1] < ${START.trim()}`]);
  while (!(await chunks.next()).done);
  await vi.waitFor(() => expect(lines.at(-1)).toBe("[openclaw 1] < end (… ms)"), 10_000);
  expect(lines.slice(from + 2, -1)).toEqual(
    [say("Zürich 🦞"), finish(), DONE].map((line) => `[openclaw 1] < ${line.trim()}`),
  );
});

test("by default it goes to console.debug", async () => {
  const print = vi.spyOn(console, "debug").mockImplementation(() => {});
  await makeClient({ middleware: [debug()], fetch: async () => Response.json({}) }).models.list();
  expect(print).toHaveBeenCalledWith("[openclaw 1] > GET http://gateway.test/v1/models");
});

const COOKIE = "sid=0123456789abcdef; theme=dark";
const echoes: [string, (headers: Headers) => Response][] = [
  ["an answer", (headers) => Response.json({ headers: Object.fromEntries(headers) })],
  ["an error page", (headers) => new Response(`<p>${[...headers].join("\n")}</p>`, { status: 502 })],
  [
    "an error",
    (headers) => Response.json(error("invalid_api_key", `No key ${headers.get("authorization")}`), { status: 401 }),
  ],
  ["a stream", (headers) => new Response(START + say([...headers].join()) + finish() + DONE, { headers: SSE })],
  ["an error in a stream", (headers) => new Response(frame(error("x", [...headers].join())), { headers: SSE })],
  ["a header", (headers) => Response.json({}, { headers: { "x-echo": [...headers].join() } })],
  [
    "a redirect's address",
    (headers) => Response.json({}, { headers: { location: `/?${new URLSearchParams([...headers])}` } }),
  ],
];

test.each(echoes)("secrets are masked, also in %s that shows them", async (_, echo) => {
  const secrets = [
    TOKEN,
    '"quoted\\secret',
    "0123456789abcdef",
    "s3cr3t-and-more",
    "dXNlcjpwYXNzd29yZA",
    "session-of-somebody",
  ];
  const { lines, client } = printing(async (_, init) => echo(new Headers(init.headers)), {
    headers: {
      cookie: COOKIE,
      "x-api-key": "s3cr3t-and-more",
      // Part of another: that one must be masked as a whole.
      "x-access-key": "s3cr3t-a",
      "x-secret": '"quoted\\secret',
      "proxy-authorization": "Basic dXNlcjpwYXNzd29yZA==",
    },
  });
  const stream = client.chat.completions.create({ ...hi, stream: true }, { sessionKey: "session-of-somebody" });
  await stream.then((stream) => stream.text()).catch(() => {});
  await client.chat.completions.create(hi, { sessionKey: "session-of-somebody" }).catch(() => {});
  const printed = lines.join("\n");
  expect(printed).toContain("***");
  expect(printed).not.toContain("nd-more");
  for (const secret of secrets) {
    expect(printed).not.toContain(secret);
    expect(printed).not.toContain(JSON.stringify(secret).slice(1, -1));
    expect(printed).not.toContain(encodeURIComponent(secret));
  }
});

test("a token is masked however short it is, and what an answer's headers hide, too", async () => {
  const { lines, client } = printing(
    async () =>
      Response.json(["a dev token"], { headers: { "set-cookie": "sid=1", "x-ratelimit-remaining-tokens": "12" } }),
    { token: "dev" },
  );
  await client.models.list();
  const printed = lines.join("\n");
  expect(printed).toContain('["a *** token"]');
  expect(printed).toContain("set-cookie: ***");
  expect(printed).toContain("x-ratelimit-remaining-tokens: 12");
});

test("long lines are cut, after masking", async () => {
  const { lines, client } = printing(
    async () => Response.json({ text: `${"x".repeat(8)}${TOKEN}${"y".repeat(100)}` }),
    {
      maxLength: 30,
    },
  );
  await client.models.list();
  expect(lines).toContain(`[openclaw 1] < {"text":"xxxxxxxx***yyyyyyyyyy… (122 characters)`);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
});

test("the client reads the same bytes", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(50_000));
  const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 20_000), bytes.subarray(20_000)];
  const passed = await debug({ print: () => {} })(async () => new Response(bodyOf(pieces)))("http://x", {
    headers: new Headers(),
  });
  expect(Buffer.compare(Buffer.from(await passed.arrayBuffer()), bytes)).toBe(0);

  const plain = makeClient({ fetch: async () => new Response(HELLO, { headers: SSE }) });
  const { client } = printing(async () => new Response(HELLO, { headers: SSE }));
  const read = async (from: typeof client) => {
    const chunks: unknown[] = [];
    for await (const chunk of await from.chat.completions.create({ ...hi, stream: true })) chunks.push(chunk);
    return chunks;
  };
  expect(await read(client)).toEqual(await read(plain));
});

test("the response keeps its address, status and headers", async () => {
  const { client: direct } = await startServer((response, request) => {
    if (request.url?.endsWith("/old")) return response.writeHead(307, { location: "/v1/models/new" }).end();
    const body = gzipSync(JSON.stringify({ id: "new" }));
    response.writeHead(203, "Fine", { "content-type": "application/json", "content-encoding": "gzip" }).end(body);
  });
  const { response: plain } = await direct.models.retrieve("old").withResponse();
  const lines: string[] = [];
  const watched = createClient({
    baseUrl: new URL(plain.url).origin,
    middleware: [debug({ print: (line) => lines.push(line) })],
  });
  const { data, response } = await watched.models.retrieve("old").withResponse();
  expect(data).toEqual({ id: "new" });
  const { url, redirected, status, statusText } = plain;
  expect(response).toMatchObject({ url, redirected, status, statusText });
  expect(url).toMatch(/new$/);
  expect([...response.headers.keys()]).toEqual([...plain.headers.keys()]);
  expect(lines).toContain('[openclaw 1] < {"id":"new"}');
});

test("a response without a body is passed on", async () => {
  const empty = new Response(null, { status: 204 });
  const lines: string[] = [];
  const watched = await debug({ print: (line) => lines.push(line) })(async () => empty)("http://x", {
    headers: new Headers(),
  });
  expect(watched).toBe(empty);
  expect(lines[1]).toMatch(/^\[openclaw 1\] < 204 \(\d+ ms\)$/);
});

test("failures are printed, and thrown as they are", async () => {
  const mine = new Error(`not ${TOKEN}`);
  const failing: Middleware = () => async () => {
    throw mine;
  };
  const lines: string[] = [];
  const client = makeClient({ middleware: [debug({ print: (line) => lines.push(line) }), failing] });
  expect(await failureOf(client.models.list())).toBe(mine);
  expect(lines.at(-1)).toMatch(/^\[openclaw 1\] ! Error: not \*\*\* \(\d+ ms\)$/);

  const { lines: printed, client: unreachable } = printing(async () => {
    throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
  });
  await failureOf(unreachable.models.list());
  expect(printed.at(-1)).toBe(
    "[openclaw 1] ! ConnectionError: Cannot reach http://gateway.test/v1/models (ECONNREFUSED). (… ms)",
  );
});

test("a body that breaks is printed and is broken", async () => {
  const broken = new Error("ECONNRESET");
  const { lines, client } = printing(async () => new Response(bodyOf([START, "data: {"], broken), { headers: SSE }));
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(stream.text())).toMatchObject({ name: "StreamTruncatedError", cause: broken });
  expect(lines.slice(-2)).toEqual(["[openclaw 1] < data: {", "[openclaw 1] ! Error: ECONNRESET (… ms)"]);
});

test.each(["break", "abort", "signal"])("leaving works as without it (%s)", async (how) => {
  const left = Promise.withResolvers<void>();
  const { server } = await startServer((response) => {
    void gone(response).then(left.resolve);
    response.writeHead(200, SSE).write(START);
  });
  const address = server.address();
  const lines: string[] = [];
  const client = createClient({
    baseUrl: `http://127.0.0.1:${typeof address === "object" && address?.port}`,
    middleware: [debug({ print: (line) => lines.push(line) })],
  });
  const controller = new AbortController();
  const stream = await client.chat.completions.create({ ...hi, stream: true }, { signal: controller.signal });
  const reading = (async () => {
    for await (const _ of stream) {
      if (how === "break") break;
      if (how === "abort") stream.abort();
      if (how === "signal") controller.abort();
    }
  })();
  if (how === "break") await reading;
  else expect(await failureOf(reading)).toMatchObject({ name: "AbortError" });
  await left.promise;
  await vi.waitFor(() => expect(lines.at(-1)).toMatch(/^\[openclaw 1\] (< left|! .*bort.*) \(\d+ ms\)$/), 10_000);
  expect(lines.filter((line) => / (left|end) \(| ! /.test(line))).toHaveLength(1);
});

test("whoever leaves a body while it is waited for leaves the one below, which is said once", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const body = new ReadableStream({ cancel: cancelled.resolve });
  const lines: string[] = [];
  const watched = await debug({ print: (line) => lines.push(line) })(async () => new Response(body))("http://x", {
    headers: new Headers(),
  });
  const reader = (watched.body as ReadableStream).getReader();
  const pending = reader.read();
  const from = lines.length;
  await reader.cancel("enough");
  expect(await cancelled.promise).toBe("enough");
  expect((await pending).done).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines.slice(from)).toEqual([expect.stringMatching(/^\[openclaw 1\] < left \(\d+ ms\)$/)]);
});

test("nothing is read before its reader asks", async () => {
  let given = 0;
  const pieces = (function* () {
    for (const piece of [START, say("a"), finish(), DONE]) {
      given++;
      yield piece;
    }
  })();
  const { client } = printing(async () => new Response(bodyOf(pieces), { headers: SSE }));
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  await new Promise((resolve) => setImmediate(resolve));
  expect(given).toBe(0);
  await stream[Symbol.asyncIterator]().next();
  await new Promise((resolve) => setImmediate(resolve));
  expect(given).toBe(1);
});

test("headers that are secret by other names, and cookies that a body repeats, are masked", async () => {
  const headers = {
    "cf-access-jwt-assertion": "eyJhbGciOi.JWT",
    "x-password": "hunter2hunter2",
    "x-amz-signature": "dead",
  };
  const { lines, client } = printing(
    async () => Response.json({ id: "sid-0123456789" }, { headers: { "set-cookie": "sid=sid-0123456789; HttpOnly" } }),
    { headers },
  );
  await client.models.list();
  const printed = lines.join("\n");
  for (const name of Object.keys(headers)) expect(printed).toContain(`${name}: ***`);
  expect(printed).toContain('{"id":"***"}');
});

test("a print that throws changes nothing", async () => {
  let isCancelled = false;
  const watched = debug({
    print: () => {
      throw new Error("full");
    },
  });
  const read = () => watched(async () => new Response(bodyOf(["a\n", "b\n"])))("http://x", { headers: new Headers() });
  expect(await (await read()).text()).toBe("a\nb\n");
  const body = new ReadableStream({
    cancel: () => {
      isCancelled = true;
    },
  });
  const response = await watched(async () => new Response(body))("http://x", { headers: new Headers() });
  await response.body?.cancel();
  expect(isCancelled).toBe(true);
});

test("a line that does not end does not fill the memory", async () => {
  const lines: string[] = [];
  const watched = debug({ print: (line) => lines.push(line), maxLength: 10 });
  const response = await watched(async () => new Response(bodyOf(Array(200).fill("x".repeat(1024)))))("http://x", {
    headers: new Headers(),
  });
  expect((await response.text()).length).toBe(200 * 1024);
  expect(lines).toContain("[openclaw 1] < xxxxxxxxxx… (more than 65546 characters)");
});
