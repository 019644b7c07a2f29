import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as client from "../src/index.ts";
import { makeClient } from "./support/client.ts";

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
      "ModelList",
      "RequestOptions",
      "ResponsePromise",
      "ResumeInfo",
      "Session",
      "SessionBranch",
      "SessionListParams",
      "SessionMessage",
      "SessionMessagesParams",
      "StoredCompletion",
      "StoredMessage",
      "StreamEvents",
    ]
  `);
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
