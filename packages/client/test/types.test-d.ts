import type OpenAI from "openai";
import { assertType, expectTypeOf, test } from "vitest";
import { type DebugOptions, debug } from "../src/debug/index.ts";
import {
  type AgentActivity,
  type ChatCompletion,
  type ChatCompletionChunk,
  type ChatCompletionParams,
  type ChatStream,
  type Client,
  type ClientOptions,
  createClient,
  type ErrorCode,
  type Fetch,
  isOpenClawError,
  type ListPage,
  type Middleware,
  type ModelList,
  type ResponsePromise,
  type ResumeInfo,
  type Session,
  type SessionBranch,
  type SessionMessage,
  type StoredCompletion,
  type StoredMessage,
} from "../src/index.ts";

declare const client: Client;
const messages = [{ role: "user" as const, content: "hi" }];

test("what create gives depends on stream", () => {
  const { create } = client.chat.completions;
  expectTypeOf(create({ messages })).resolves.toEqualTypeOf<ChatCompletion>();
  expectTypeOf(create({ messages, stream: false })).resolves.toEqualTypeOf<ChatCompletion>();
  expectTypeOf(create({ messages, stream: null })).resolves.toEqualTypeOf<ChatCompletion>();
  expectTypeOf(create({ messages, stream: true })).resolves.toEqualTypeOf<ChatStream>();
  const stream = Boolean();
  expectTypeOf(create({ messages, stream })).resolves.toEqualTypeOf<ChatCompletion | ChatStream>();
  // @ts-expect-error messages are needed
  void create({ model: "openclaw" });
  // @ts-expect-error there is no such parameter
  void create({ messages, streem: true });
});

test("a stream gives chunks, text and the whole", async () => {
  const stream = await client.chat.completions.create({ messages, stream: true });
  for await (const chunk of stream) {
    expectTypeOf(chunk).toEqualTypeOf<ChatCompletionChunk>();
    expectTypeOf(chunk.choices[0]?.delta.content).toEqualTypeOf<string | null | undefined>();
  }
  expectTypeOf(stream.text()).resolves.toBeString();
  expectTypeOf(stream.final()).resolves.toEqualTypeOf<ChatCompletion>();
  expectTypeOf(stream.sessionKey).toEqualTypeOf<string | null>();
});

test("a stream says when it comes back", async () => {
  const stream = await client.chat.completions.create({ messages, stream: true });
  stream.on("resume", (info) => expectTypeOf(info).toEqualTypeOf<ResumeInfo>());
  expectTypeOf(stream.on("resume", () => {})).toEqualTypeOf<ChatStream>();
  // @ts-expect-error there is no such event
  stream.on("resumed", () => {});
});

test("a stream's events have the types of what they tell", async () => {
  const stream = await client.chat.completions.create({ messages, stream: true });
  stream
    .on("content", (delta, text) => expectTypeOf([delta, text]).toEqualTypeOf<string[]>())
    .on("reasoning", (delta, text) => expectTypeOf([delta, text]).toEqualTypeOf<string[]>())
    .on("tool-call", (call) => {
      expectTypeOf(call.id).toBeString();
      expectTypeOf(call.function).toExtend<{ name: string; arguments: string }>();
    })
    .on("tool-activity", (activity) => expectTypeOf(activity).toEqualTypeOf<AgentActivity>())
    .on("usage", ({ total_tokens }) => expectTypeOf(total_tokens).toBeNumber())
    .on("end", (completion) => expectTypeOf(completion).toEqualTypeOf<ChatCompletion>());
  // @ts-expect-error text is told, not a chunk
  stream.on("content", (chunk: ChatCompletionChunk) => chunk);
});

test("a stream has other forms", async () => {
  const stream = await client.chat.completions.create({ messages, stream: true });
  expectTypeOf(stream.tee()).toEqualTypeOf<[AsyncIterable<ChatCompletionChunk>, AsyncIterable<ChatCompletionChunk>]>();
  expectTypeOf(new Response(stream.toReadableStream())).toEqualTypeOf<Response>();
});

test("every call has its response", async () => {
  const { create } = client.chat.completions;
  expectTypeOf(create({ messages }).withResponse()).resolves.toEqualTypeOf<{
    data: ChatCompletion;
    response: Response;
  }>();
  expectTypeOf(create({ messages, stream: true }).withResponse()).resolves.toEqualTypeOf<{
    data: ChatStream;
    response: Response;
  }>();
  expectTypeOf(client.models.list()).toEqualTypeOf<ResponsePromise<ModelList>>();
  expectTypeOf(client.sessions.list()).toEqualTypeOf<ResponsePromise<ListPage<Session>>>();
  assertType<Promise<ModelList>>(client.models.list());
});

test("middleware gives a fetch for a fetch", () => {
  const timing: Middleware = (next) => async (url, init) => {
    expectTypeOf(next).toEqualTypeOf<Fetch>();
    expectTypeOf(url).toBeString();
    expectTypeOf(init.headers).toEqualTypeOf<Headers>();
    return next(url, init);
  };
  assertType<ClientOptions>({ baseUrl: "", middleware: [timing, debug(), debug({ maxLength: 1 })] as const });
  expectTypeOf<DebugOptions["print"]>().extract<(...args: never) => unknown>().parameters.toEqualTypeOf<[string]>();
  // @ts-expect-error it must answer
  assertType<Middleware>(() => () => {});
});

test("what the agent does is in the chunks", async () => {
  const stream = await client.chat.completions.create({ messages, stream: true }, { activity: true });
  for await (const { openclaw, choices } of stream) {
    expectTypeOf(openclaw).toEqualTypeOf<AgentActivity | undefined>();
    if (openclaw?.type === "tool-start") expectTypeOf(openclaw.name).toBeString();
    if (openclaw?.type === "tool-end") expectTypeOf(openclaw.ok).toBeBoolean();
    expectTypeOf(choices[0]?.delta.reasoning_content).toEqualTypeOf<string | undefined>();
  }
  // @ts-expect-error it is asked for or not
  void client.chat.completions.create({ messages }, { activity: "1" });
});

test("a key is a text, or is declined", () => {
  void client.chat.completions.create({ messages }, { idempotencyKey: "mine" });
  void client.chat.completions.create({ messages }, { idempotencyKey: false });
  // @ts-expect-error there is one anyway
  void client.chat.completions.create({ messages }, { idempotencyKey: true });
});

test("stored completions and sessions come in pages", () => {
  const { chat, sessions } = client;
  expectTypeOf(chat.completions.list({ metadata: { a: "b" } })).resolves.toEqualTypeOf<ListPage<StoredCompletion>>();
  expectTypeOf(chat.completions.retrieve("c")).resolves.toEqualTypeOf<StoredCompletion>();
  expectTypeOf(chat.completions.messages("c")).resolves.toEqualTypeOf<ListPage<StoredMessage>>();
  expectTypeOf(sessions.list({ limit: 5 })).resolves.toEqualTypeOf<ListPage<Session>>();
  expectTypeOf(sessions.update("k", { title: null })).resolves.toEqualTypeOf<Session>();
  expectTypeOf(sessions.messages("k", { leaf: "m" })).resolves.toEqualTypeOf<ListPage<SessionMessage>>();
  expectTypeOf(sessions.branches("k")).resolves.toEqualTypeOf<ListPage<SessionBranch>>();
  expectTypeOf(sessions.fork("k")).resolves.toEqualTypeOf<Session>();
  // @ts-expect-error there is no such order
  void sessions.list({ order: "up" });
});

test("models are OpenAI's, with what an agent has besides", () => {
  expectTypeOf(client.models.list()).resolves.toEqualTypeOf<ModelList>();
  assertType<Promise<{ id: string; created: number; owned_by: string }>>(client.models.retrieve("openclaw"));
});

test("an error is narrowed by its guard, and its code by the table", () => {
  const error: unknown = undefined;
  if (isOpenClawError(error)) expectTypeOf(error.message).toBeString();
  if (isOpenClawError(error, "APIError")) {
    expectTypeOf(error.status).toBeNumber();
    expectTypeOf(error.name).toEqualTypeOf<"APIError">();
    expectTypeOf<ErrorCode>().toExtend<typeof error.code>();
    expectTypeOf<"not_of_the_table">().toExtend<typeof error.code>();
  }
});

test("options say what is wrong", () => {
  expectTypeOf(createClient).toBeCallableWith({ baseUrl: "", token: async () => "" });
  expectTypeOf<ClientOptions["fetch"]>()
    .extract<(...args: never) => unknown>()
    .parameters.toEqualTypeOf<[string, RequestInit]>();
  assertType<ClientOptions>({ baseUrl: "", fetch: globalThis.fetch });
  // @ts-expect-error a token that may be undefined is one that was forgotten
  createClient({ baseUrl: "", token: process.env.TOKEN });
});

test("what is sent to OpenAI can be sent to us", () => {
  const params: Pick<OpenAI.ChatCompletionCreateParams, "temperature" | "stop" | "user"> = {};
  assertType<Partial<ChatCompletionParams>>({ temperature: params.temperature, user: params.user });
  const history: ChatCompletionParams["messages"] = [{ role: "system", content: "Be brief." }, ...messages];
  assertType<OpenAI.ChatCompletionMessageParam[]>(history.filter((message) => message.role === "user") as never);
});

test("a name that is misspelt is none", async () => {
  const completion: ChatCompletion = await client.chat.completions.create({ messages });
  // @ts-expect-error choices
  completion.choises;
  // @ts-expect-error total_tokens
  completion.usage?.total_token;
  // @ts-expect-error content
  completion.choices[0]?.message.contnet;
  for await (const chunk of await client.chat.completions.create({ messages, stream: true })) {
    // @ts-expect-error content
    chunk.choices[0]?.delta.contnet;
    // @ts-expect-error openclaw
    chunk.openclow;
    assertType<Pick<OpenAI.ChatCompletionChunk, "id" | "created" | "model">>(chunk);
  }
  const session = await client.sessions.retrieve("k");
  // @ts-expect-error title
  session.titel;
  // @ts-expect-error data
  (await client.models.list()).models;
  assertType<OpenAI.ChatCompletion>(completion);
  const { metadata } = await client.chat.completions.retrieve("c");
  expectTypeOf(metadata).toEqualTypeOf<Record<string, string> | null>();
});
