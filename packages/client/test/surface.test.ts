import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as debug from "../src/debug/index.ts";
import * as client from "../src/index.ts";
import * as socket from "../src/socket/index.ts";
import { hi, makeClient } from "./support/client.ts";
import { HELLO, SSE } from "./support/wire.ts";

test("the public names", () => {
  expect(Object.keys(client).sort()).toMatchInlineSnapshot(`
    [
      "APIError",
      "AbortError",
      "ConnectionError",
      "OpenClawError",
      "StreamTruncatedError",
      "TimeoutError",
      "createClient",
      "isOpenClawError",
    ]
  `);
});

test("the public types", () => {
  const index = readFileSync(new URL("../src/index.ts", import.meta.url), "utf8");
  const types = [...index.matchAll(/export type \{([^}]*)\}/g), ...index.matchAll(/\btype (\w+)/g)].flatMap(
    ([, names]) => names?.match(/\w+/g) ?? [],
  );
  expect(types.sort()).toMatchInlineSnapshot(`
    [
      "AgentActivity",
      "ChatCompletion",
      "ChatCompletionChunk",
      "ChatCompletionParams",
      "ChatCompletions",
      "ChatOptions",
      "ChatStream",
      "Client",
      "ClientOptions",
      "CompletionListParams",
      "Deleted",
      "ErrorCode",
      "Fetch",
      "ListPage",
      "ListParams",
      "Message",
      "Middleware",
      "Model",
      "ModelList",
      "Models",
      "PartialCompletion",
      "RequestOptions",
      "ResponsePromise",
      "ResumeInfo",
      "Session",
      "SessionBranch",
      "SessionListParams",
      "SessionMessage",
      "SessionMessagesParams",
      "Sessions",
      "StoredCompletion",
      "StoredMessage",
      "StreamEvents",
      "ToolCall",
      "Usage",
    ]
  `);
});

test("the public names of what shows traffic", () => {
  expect(Object.keys(debug)).toEqual(["debug"]);
});

test("the public names of the socket", () => {
  expect(Object.keys(socket).sort()).toEqual(["RunError", "SocketError", "createSocket", "textOf"]);
  expect(Object.keys(socket.createSocket({ baseUrl: "http://gateway.test" }))).toEqual([
    ...["status", "connect", "send", "history", "abort", "request", "on", "watch", "close"],
  ]);
});

test("a stream's names", async () => {
  const client = makeClient({ fetch: async () => new Response(HELLO, { headers: SSE }) });
  const stream = await client.chat.completions.create({ ...hi, stream: true });
  const names = [...Object.keys(stream), ...Object.getOwnPropertyNames(Object.getPrototypeOf(stream))];
  expect(names.sort()).toEqual([
    "abort",
    "constructor",
    "final",
    "on",
    "requestId",
    "runId",
    "sessionKey",
    "tee",
    "text",
    "toReadableStream",
  ]);
});

test("the client's own names are OpenAI's", () => {
  const { chat, models } = makeClient();
  expect([Object.keys(chat), Object.keys(chat.completions), Object.keys(models)]).toEqual([
    ["completions"],
    ["create", "list", "retrieve", "update", "delete", "messages"],
    ["list", "retrieve"],
  ]);
});

test("sessions are used like them", () => {
  expect(Object.keys(makeClient().sessions)).toEqual([
    "list",
    "retrieve",
    "update",
    "delete",
    "messages",
    "branches",
    "setHead",
    "fork",
    "abort",
  ]);
});
