import fc from "fast-check";
import { expect, test } from "vitest";
import type { ModelRequest } from "../../src/models/model.ts";
import { toRequestBody } from "../../src/models/request-body.ts";

const user = (content: string) => ({ role: "user" as const, content });
const assistant = (content: string) => ({ role: "assistant" as const, content });

const body = (request: Partial<ModelRequest>, newName = false) =>
  toRequestBody(
    { messages: [user("hi")], params: {}, stream: false, ...request },
    { model: "m", newTokenLimitName: newName, api: "a" },
  );

test("a body is what OpenAI documents", () => {
  expect(JSON.parse(body({ params: { temperature: 0.5 } }))).toEqual({
    model: "m",
    stream: false,
    temperature: 0.5,
    messages: [{ role: "user", content: "hi" }],
  });
  expect(JSON.parse(body({ stream: true }))).toMatchObject({ stream: true, stream_options: { include_usage: true } });
});

test("params cannot say what is the gateway's to say", () => {
  const params = { model: "other", stream: true, stream_options: { include_usage: false }, messages: [user("evil")] };
  expect(JSON.parse(body({ params, stream: false }))).toEqual({
    model: "m",
    stream: false,
    messages: [{ role: "user", content: "hi" }],
  });
  expect(JSON.parse(body({ params, stream: true }))).toMatchObject({
    model: "m",
    stream_options: { include_usage: true },
  });
});

test("the longest answer goes by the name the provider knows, and once", () => {
  const params = { max_tokens: 5, max_completion_tokens: 7 };
  expect(body({ params })).toBe(
    '{"model":"m","stream":false,"max_tokens":7,"messages":[{"role":"user","content":"hi"}]}',
  );
  expect(JSON.parse(body({ params }, true))).toMatchObject({ max_completion_tokens: 7 });
  expect(body({ params }, true)).not.toContain("max_tokens");
});

test("a longer talk begins with the bytes of the shorter one, up to its closing bracket", () => {
  const message = fc.oneof(fc.string({ unit: "binary" }).map(user), fc.string({ unit: "binary" }).map(assistant));
  const params = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1 }),
      fc.array(message, { minLength: 1 }),
      params,
      fc.boolean(),
      (talk, more, options, stream) => {
        const shorter = body({ messages: talk, params: options, stream });
        const longer = body({ messages: [...talk, ...more], params: { ...options }, stream });
        expect(shorter.endsWith("]}")).toBe(true);
        expect(longer.startsWith(`${shorter.slice(0, -2)},`)).toBe(true);
      },
    ),
  );
});
