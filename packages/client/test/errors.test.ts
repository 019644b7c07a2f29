import { ERRORS, type ErrorCode } from "@openclaw/protocol/wire";
import { HttpResponse, http } from "msw/http";
import { setupServer } from "msw/node";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { APIError, ConnectionError, isOpenClawError, OpenClawError } from "../src/index.ts";
import { CHAT_URL, failureOf, hi, makeClient, scripted, TOKEN } from "./support/client.ts";
import { DONE, error, frame, SSE, START, say } from "./support/wire.ts";

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledFrame: "error" }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

const client = makeClient({ maxRetries: 0 });
const codes = Object.keys(ERRORS) as ErrorCode[];

test.each(codes)("%s is an APIError when it is the answer", async (code) => {
  const { status, type } = ERRORS[code];
  server.use(
    http.post(CHAT_URL, () =>
      HttpResponse.json(
        { error: { message: "It failed.", type, param: "messages[0]", code } },
        { status, headers: { "x-request-id": "req-1", "retry-after": "2" } },
      ),
    ),
  );
  for (const stream of [false, true]) {
    const failure = await failureOf(client.chat.completions.create({ ...hi, stream }));
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({
      name: "APIError",
      message: "It failed.",
      status,
      type,
      code,
      param: "messages[0]",
      requestId: "req-1",
      retryAfter: 2,
    });
  }
});

test.each(codes)("%s is an APIError when a stream ends with it, with what had come", async (code) => {
  const { status, type } = ERRORS[code];
  const body = START + say("Hel") + frame({ error: { message: "It failed.", type, param: null, code } }) + DONE;
  server.use(http.post(CHAT_URL, () => new HttpResponse(body, { headers: { ...SSE, "x-request-id": "req-1" } })));
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const failure = await failureOf(stream.final());
  expect(failure).toMatchObject({ name: "APIError", message: "It failed.", status, type, code, requestId: "req-1" });
  expect(failure).toMatchObject({ partial: { choices: [{ message: { content: "Hel" }, finish_reason: null }] } });
});

test("the chunks before an error frame are given, in the same read, too", async () => {
  const body = START + say("a") + say("b") + frame(error("internal_error")) + DONE;
  server.use(http.post(CHAT_URL, () => new HttpResponse(body, { headers: SSE })));
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  let text = "";
  const reading = (async () => {
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content;
  })();
  expect(await failureOf(reading)).toMatchObject({ code: "internal_error", status: 500 });
  expect(text).toBe("ab");
});

test.each<[string, string | null, object]>([
  [
    "a proxy's page",
    "<html>\n<h1>502 Bad Gateway</h1>\n</html>",
    { message: "HTTP 502: <html> <h1>502 Bad Gateway</h1> </html>" },
  ],
  ["nothing", null, { message: "HTTP 502" }],
  ["JSON of another kind", '{"detail":"nope"}', { message: 'HTTP 502: {"detail":"nope"}' }],
  ["JSON that is no object", "null", { message: "HTTP 502: null" }],
  ["an error that is a text", '{"error":"nope"}', { message: "nope" }],
  ["an error without members", '{"error":{}}', { message: "An error without a message." }],
  ["members of other types", '{"error":{"message":1,"code":2,"type":[],"param":{}}}', { code: null, param: null }],
  ["a code of a newer gateway", JSON.stringify(error("moon_phase")), { code: "moon_phase", message: "It failed." }],
  ["a very long page", "x".repeat(100_000), { message: `HTTP 502: ${"x".repeat(200)}` }],
])("an error whose body is %s is an APIError", async (_, body, expected) => {
  server.use(http.post(CHAT_URL, () => new HttpResponse(body, { status: 502 })));
  const failure = await failureOf(client.chat.completions.create(hi));
  expect(failure).toBeInstanceOf(APIError);
  expect({
    ...failure,
    message: failure.message.replace(" Bad Gateway:", ":").replace(/ Bad Gateway$/, ""),
  }).toMatchObject({
    status: 502,
    type: body?.includes("api_error") ? "api_error" : null,
    requestId: null,
    retryAfter: undefined,
    ...expected,
  });
});

test("a page that shows the request's headers does not put the token into the message", async () => {
  server.use(
    http.post(CHAT_URL, ({ request }) => HttpResponse.text(`${request.headers.get("authorization")}`, { status: 400 })),
  );
  const failure = await failureOf(client.chat.completions.create(hi));
  expect(failure.message).toContain("HTTP 400 Bad Request: ***");
  expect(failure.message).not.toContain(TOKEN);
});

test.each([false, true])("a page with a good status is no answer (stream: %j)", async (stream) => {
  server.use(http.post(CHAT_URL, () => HttpResponse.html("<h1>Welcome</h1>")));
  const failure = await failureOf(client.chat.completions.create({ ...hi, stream }));
  expect(failure).toMatchObject({ name: "APIError", status: 200, code: null });
  expect(failure.message).toMatch(/got text\/html\. Is `baseUrl` the gateway's address\?/);
});

test("an answer that is not whole is no answer", async () => {
  server.use(
    http.post(CHAT_URL, () => new HttpResponse('{"id":"chat', { headers: { "content-type": "application/json" } })),
  );
  expect(await failureOf(client.chat.completions.create(hi))).toBeInstanceOf(ConnectionError);
});

test("a network failure is a ConnectionError that keeps its cause and does not quote it", async () => {
  const cause = new TypeError(`fetch failed: ${TOKEN}`, { cause: { code: "ECONNREFUSED" } });
  const { client } = scripted(cause);
  const failure = await failureOf(client.models.list({ maxRetries: 0 }));
  expect(failure).toBeInstanceOf(ConnectionError);
  expect(failure.message).toBe("Cannot reach http://gateway.test/v1/models (ECONNREFUSED).");
  expect(failure.cause).toBe(cause);
});

test("errors are known by class and by guard, and by guard across copies of the package", async () => {
  const failure = new APIError("no", { status: 404 });
  expect(failure).toBeInstanceOf(OpenClawError);
  expect(isOpenClawError(failure)).toBe(true);
  expect(isOpenClawError(failure, "OpenClawError")).toBe(true);
  expect(isOpenClawError(failure, "APIError")).toBe(true);
  expect(isOpenClawError(failure, "AbortError")).toBe(false);
  for (const other of [undefined, null, "APIError", {}, new Error("no"), new DOMException("no", "AbortError")]) {
    expect(isOpenClawError(other)).toBe(false);
  }
  const path = "../src/errors.ts?copy";
  const copy: typeof import("../src/errors.ts") = await import(/* @vite-ignore */ path);
  const foreign = new copy.TimeoutError("late");
  expect(foreign).not.toBeInstanceOf(OpenClawError);
  expect(isOpenClawError(foreign, "TimeoutError")).toBe(true);
});
