import { expect, test } from "vitest";
import type { Fetch, Middleware } from "../src/index.ts";
import { createClient, TimeoutError } from "../src/index.ts";
import { CHAT_URL, failureOf, hi, makeClient, TOKEN } from "./support/client.ts";
import { startKeyedServer } from "./support/keyed-server.ts";
import { DONE, error, finish, HELLO, SSE, START, say } from "./support/wire.ts";

const busy = () => new Response("", { status: 503, headers: { "retry-after-ms": "0" } });

/** Notes each request and answer that passes. */
const noted =
  (notes: string[], name: string): Middleware =>
  (next) =>
  async (url, init) => {
    notes.push(`${name} asks`);
    const response = await next(url, init);
    notes.push(`${name} has ${response.status}`);
    return response;
  };

test("the first is the outermost", async () => {
  const notes: string[] = [];
  const client = makeClient({
    middleware: [noted(notes, "a"), noted(notes, "b")],
    fetch: async () => {
      notes.push("fetch");
      return Response.json({});
    },
  });
  await client.models.list();
  expect(notes).toEqual(["a asks", "b asks", "fetch", "b has 200", "a has 200"]);
});

test("it stands around every attempt, and sees the token of each", async () => {
  const notes: string[] = [];
  const tokens: (string | null)[] = [];
  let count = 0;
  const client = makeClient({
    token: async () => `token-${++count}`,
    middleware: [
      noted(notes, "a"),
      (next) => (url, init) => {
        tokens.push(init.headers.get("authorization"));
        return next(url, init);
      },
    ],
    fetch: async () => (count === 1 ? busy() : Response.json({})),
  });
  await client.models.list();
  expect(notes).toEqual(["a asks", "a has 503", "a asks", "a has 200"]);
  expect(tokens).toEqual(["Bearer token-1", "Bearer token-2"]);
});

test("it stands around a stream's coming back, and the word that it is cancelled", async () => {
  const { server, cancels } = await startKeyedServer({
    answer: [START, say("Hel"), say("lo"), finish(), DONE],
    fate: (n, key) =>
      key === "left"
        ? { type: "silence", after: 2 }
        : n === 0
          ? { type: "drain", after: 2, retry: 0 }
          : { type: "whole" },
  });
  const address = server.address();
  const asked: (string | null)[] = [];
  const client = createClient({
    baseUrl: `http://127.0.0.1:${typeof address === "object" && address?.port}`,
    middleware: [
      (next) => (url, init) => {
        asked.push(`${new URL(url).pathname.split("/").at(-1)} ${init.headers.get("last-event-id")}`);
        return next(url, init);
      },
    ],
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await stream.text()).toBe("Hello");
  expect(asked).toEqual(["completions null", "completions run-1:1"]);

  const left = await client.chat.completions.create({ ...hi, stream: true }, { idempotencyKey: "left" });
  for await (const _ of left) break;
  await expect.poll(() => cancels.length).toBe(1);
  expect(asked.slice(2)).toEqual(["completions null", "cancel null"]);
});

test("it may answer by itself", async () => {
  const client = makeClient({
    fetch: async () => {
      throw new Error("not to be asked");
    },
    middleware: [
      () => async (url) => (url === CHAT_URL ? new Response(HELLO, { headers: SSE }) : Response.json({ data: [] })),
    ],
  });
  expect(await client.models.list()).toEqual({ data: [] });
  expect(await (await client.chat.completions.create({ ...hi, stream: true })).text()).toBe("Hello");
});

test("it may change address, headers and body, and the answer", async () => {
  let request: Request | undefined;
  const client = makeClient({
    middleware: [
      (next) => async (url, init) => {
        init.headers.set("x-signature", "s");
        init.headers.delete("idempotency-key");
        const body = JSON.stringify({ ...JSON.parse(String(init.body)), user: "u" });
        const response = await next(`${url}?api-version=1`, { ...init, body });
        return Response.json({ ...((await response.json()) as object), changed: true });
      },
    ],
    fetch: async (url, init) => {
      request = new Request(url, init);
      return Response.json({ id: "c" });
    },
  });
  expect(await client.chat.completions.create(hi)).toEqual({ id: "c", changed: true });
  expect(request?.url).toBe(`${CHAT_URL}?api-version=1`);
  expect(request?.headers.get("x-signature")).toBe("s");
  expect(request?.headers.get("authorization")).toBe(`Bearer ${TOKEN}`);
  expect(request?.headers.has("idempotency-key")).toBe(false);
  expect(await request?.json()).toEqual({ ...hi, user: "u" });
});

test("it may try again by itself", async () => {
  let sent = 0;
  const again: Middleware = (next) => async (url, init) => {
    const response = await next(url, init);
    return response.ok ? response : next(url, init);
  };
  const client = makeClient({
    maxRetries: 0,
    middleware: [again],
    fetch: async () => (sent++ === 0 ? busy() : Response.json({ sent })),
  });
  expect(await client.models.list()).toEqual({ sent: 2 });
});

test.each<[string, unknown]>([
  ["an error of its own", new Error("mine")],
  ["an error of this package", new TimeoutError("mine")],
  ["no error at all", "mine"],
])("what it throws is thrown as it is: %s", async (_, mine) => {
  let asked = 0;
  const client = makeClient({
    maxRetries: 0,
    middleware: [
      () => async () => {
        asked++;
        throw mine;
      },
    ],
  });
  expect(await failureOf(client.models.list())).toBe(mine);
  expect(await failureOf(client.chat.completions.create({ ...hi, stream: true }))).toBe(mine);
  expect(asked).toBe(2);
});

test("what it throws is not tried again, unless it says that it may pass", async () => {
  let asked = 0;
  const throwing = (thrown: Error) =>
    makeClient({
      maxRetries: 1,
      middleware: [
        () => () => {
          asked++;
          throw thrown;
        },
      ],
    });
  await failureOf(throwing(new TypeError("mine")).models.list());
  expect(asked).toBe(1);
  await failureOf(throwing(new TimeoutError("mine")).models.list());
  expect(asked).toBe(3);
});

test("no connection comes to it as a ConnectionError, with the address it chose, and is tried again", async () => {
  const cause = new TypeError(`fetch failed: ${TOKEN}`, { cause: { code: "ECONNREFUSED" } });
  const seen: unknown[] = [];
  let sent = 0;
  const client = makeClient({
    maxRetries: 1,
    middleware: [
      (next: Fetch) => (url, init) =>
        next(url.replace("gateway", "other"), init).catch((error) => {
          seen.push(error);
          throw error;
        }),
    ],
    fetch: async () => {
      sent++;
      throw cause;
    },
  });
  const failure = await failureOf(client.models.list());
  expect(failure).toMatchObject({
    name: "ConnectionError",
    message: "Cannot reach http://other.test/v1/models (ECONNREFUSED).",
    cause,
  });
  expect(sent).toBe(2);
  expect(seen.at(-1)).toBe(failure);
});

test("an abort ends it, whatever it is doing and throws then", async () => {
  const controller = new AbortController();
  const begun = Promise.withResolvers<void>();
  let signal: AbortSignal | null | undefined;
  const client = makeClient({
    middleware: [
      () => (_, init) => {
        signal = init.signal;
        begun.resolve();
        return new Promise(() => {});
      },
    ],
  });
  const failure = failureOf(client.models.list({ signal: controller.signal }));
  await begun.promise;
  controller.abort("enough");
  expect(await failure).toMatchObject({ name: "AbortError", cause: "enough" });
  expect(signal?.aborted).toBe(true);

  const late = new AbortController();
  const asking: Middleware = (next) => async (url, init) => {
    late.abort("enough");
    await next(url, init).catch(() => {});
    throw new Error("mine");
  };
  const other = makeClient({ middleware: [asking], fetch: async (url, init) => globalThis.fetch(url, init) });
  expect(await failureOf(other.models.list({ signal: late.signal }))).toMatchObject({ name: "AbortError" });
});

test("a page that shows another token than the client's does not put it into the message", async () => {
  const echo = async (_: string, init: RequestInit) =>
    new Response(new Headers(init.headers).get("authorization"), { status: 400 });
  const signing: Middleware = (next) => (url, init) => {
    init.headers.set("authorization", "DPoP s3cr3t-of-middleware");
    return next(url, init);
  };
  const failures = [
    await failureOf(makeClient({ fetch: echo, middleware: [signing] }).models.list()),
    await failureOf(makeClient({ fetch: echo }).models.list({ headers: { authorization: "Basic s3cr3t-of-call" } })),
    await failureOf(makeClient({ fetch: echo }).models.list({ headers: { authorization: "s3cr3t" } })),
  ];
  expect(failures.map(({ message }) => message)).toEqual([
    expect.stringMatching(/: \*\*\*$/),
    expect.stringMatching(/: \*\*\*$/),
    expect.stringMatching(/: \*\*\*$/),
  ]);
});

test("what it throws while a stream comes back is the cause", async () => {
  let asked = 0;
  const mine = new Error("mine");
  const client = makeClient({
    middleware: [
      (next) => async (url, init) => {
        if (asked++ > 0) throw mine;
        return next(url, init);
      },
    ],
    fetch: async () =>
      new Response(`id: run-1:0\n${START}retry: 0\n\ndata: ${JSON.stringify(error("gateway_draining"))}\n\n`, {
        headers: { ...SSE, "x-openclaw-run-id": "run-1" },
      }),
  });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  expect(await failureOf(stream.final())).toMatchObject({
    name: "StreamTruncatedError",
    message: "The stream was cut and could not be resumed: mine",
    cause: mine,
  });
  expect(asked).toBe(2);
});
