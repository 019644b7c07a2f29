import { generateText } from "ai";
import { expect, test } from "vitest";
import { aiSdkOf, openaiOf } from "../referees/sdk-clients.ts";
import { agentOf } from "../support/agents.ts";
import { ask, hi } from "../support/chat.ts";
import { type ProviderGatewayOptions, startWithProvider } from "../support/provider-gateway.ts";
import { pathOf } from "../support/sessions.ts";
import { completion } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";
import { dataUrl, fileOf, image, MIB, PNG, user } from "./fixtures.ts";

const start = (options: ProviderGatewayOptions = {}) =>
  startWithProvider({ script: (exchange, index) => exchange.answer(200, completion(`answer ${index}`)), ...options });

const seen = (content: unknown) => ({ role: "user", content });
const text = (words: string) => ({ type: "text" as const, text: words });
const asked = (...messages: unknown[]) => hi({ messages });

test("an image, sound and a file reach the provider as they were sent", async () => {
  const { provider, ...door } = await start();
  const parts = [
    text("what is this?"),
    image(PNG, { detail: "low" }),
    image(dataUrl(fileOf("jpeg", 5 * MIB), "image/jpeg")),
    { type: "input_audio" as const, input_audio: { data: fileOf("wav", 64).toString("base64"), format: "wav" } },
    { type: "file" as const, file: { file_data: dataUrl(fileOf("pdf", 64), "application/pdf"), filename: "a.pdf" } },
  ];
  expect((await ask(door, asked(user(...parts)))).text).toBe("answer 0");
  expect(provider.exchanges[0]?.json.messages).toEqual([seen(parts)]);
});

test("an image alone is a question", async () => {
  const { provider, ...door } = await start();
  expect((await ask(door, asked(user(image(PNG))))).status).toBe(200);
  expect(provider.exchanges[0]?.json.messages).toEqual([seen([image(PNG)])]);
});

test("what is refused names its place and starts nothing", async () => {
  const { provider, ...door } = await start();
  const refused = {
    "messages[1].content[1].image_url.url": [text("x"), image(dataUrl(fileOf("html", 64)))],
    "messages[1].content[0].image_url.url": [image("https://example.com/a.png")],
    "messages[1].content": Array.from({ length: 9 }, () => image(PNG)),
    "messages[1].content[0].file.file_data": [{ type: "file", file: {} }],
  };
  for (const [param, content] of Object.entries(refused)) {
    const { status, json } = await ask(door, asked({ role: "system", content: "s" }, { role: "user", content }));
    expect([status, json.error.code, json.error.param]).toEqual([400, "invalid_value", param]);
  }
  const file = { type: "file", file: { file_id: "file-1" } };
  expect((await ask(door, asked(seen([file])))).json.error).toMatchObject({
    code: "unsupported_parameter",
    param: "messages[0].content[0].file.file_id",
  });
  expect(provider.exchanges).toEqual([]);
});

test("settings of the config bound and widen what is taken in", async () => {
  const images = { allowedMimes: ["image/bmp" as const], maxBytes: 100 };
  const config = { gateway: { http: { endpoints: { chatCompletions: { enabled: true, images } } } } };
  const door = await start({ config });
  const statusOf = async (bytes: Buffer) => (await ask(door, asked(user(image(dataUrl(bytes)))))).status;
  expect(await statusOf(fileOf("bmp", 100))).toBe(200);
  expect(await statusOf(fileOf("bmp", 101))).toBe(400);
  expect(await statusOf(fileOf("png", 100))).toBe(400);
});

test("a model that the config says takes text only, or images only, is sent nothing else", async () => {
  const models = [
    { id: "in", input: ["text"] },
    { id: "eyes", input: ["image", "video"] },
  ];
  const { provider, ...door } = await start({ provider: { models } });
  const refused = await ask(door, asked(user(text("x"), image(PNG))));
  expect([refused.status, refused.json.error]).toEqual([
    400,
    {
      type: "invalid_request_error",
      code: "unsupported_parameter",
      param: "messages[0].content[1].type",
      message: 'messages[0].content[1].type: the agent "main" takes in no image, only text.',
    },
  ]);
  // With another model for this run, that one decides.
  const other = { "x-openclaw-model": "stand/eyes" };
  expect((await ask(door, asked(user(image(PNG))), other)).status).toBe(200);
  const sound = { type: "input_audio" as const, input_audio: { data: "AAAA", format: "wav" } };
  expect((await ask(door, asked(user(sound)), other)).json.error.code).toBe("unsupported_parameter");
  const unknown = await ask(door, asked(user(image(PNG))), { "x-openclaw-model": "nobody/x" });
  expect([unknown.status, unknown.json.error.code]).toEqual([404, "model_not_found"]);
  expect(provider.exchanges).toHaveLength(1);
});

test("an agent of code takes text unless it says otherwise, and the list of models tells", async () => {
  const run = async function* ({ messages }: { messages: readonly { content?: unknown }[] }) {
    yield JSON.stringify(messages.at(-1)?.content);
  };
  const agents = [agentOf(run), agentOf(run, { id: "eyes", input: ["image"] })];
  const door = await startGateway({ agents });
  expect((await ask(door, asked(user(image(PNG))))).json.error.code).toBe("unsupported_parameter");
  const looked = await ask(door, { ...asked(user(image(PNG))), model: "openclaw:eyes" });
  expect(JSON.parse(looked.text ?? "")).toEqual([image(PNG)]);
  const { data } = (await (await door.request("/v1/models")).json()) as { data: { id: string; input: string[] }[] };
  expect(Object.fromEntries(data.map(({ id, input }) => [id, input]))).toEqual({
    openclaw: ["text"],
    "openclaw/default": ["text"],
    "openclaw/main": ["text"],
    "openclaw/eyes": ["text", "image"],
  });
});

test("the demo takes text, a model of which nothing is said takes everything", async () => {
  const inputOf = async (door: Awaited<ReturnType<typeof startGateway>>) =>
    ((await (await door.request("/v1/models/openclaw")).json()) as { input: string[] }).input;
  expect(await inputOf(await startGateway())).toEqual(["text"]);
  expect(await inputOf(await start())).toEqual(["text", "image", "audio", "file"]);
});

test("an unknown agent is told before the images that are meant for it", async () => {
  const { provider, ...door } = await start();
  const body = asked(user(image("data:image/png;base64,")));
  const paramOf = async (more: object) => (await ask(door, { ...body, ...more })).json.error.param;
  expect(await paramOf({ model: "openclaw:nobody" })).toBe("model");
  expect(await paramOf({})).toBe("messages[0].content[0].image_url.url");
  expect(provider.exchanges).toEqual([]);
});

test("a session remembers an image, finds it again, and its prompt begins with the same bytes", async () => {
  const { provider, ...door } = await start();
  const session = { "x-openclaw-session-key": "trip" };
  const first = user(text("what is this?"), image(PNG));
  await ask(door, asked(first), session);
  // Only what is new.
  await ask(door, asked({ role: "user", content: "and now?" }), session);
  expect(provider.exchanges[1]?.json.messages).toEqual([
    first,
    { role: "assistant", content: "answer 0" },
    seen("and now?"),
  ]);
  const prompt = (index: number) => provider.exchanges[index]?.body.toString().replace(/\]\}$/, "") ?? "";
  expect(prompt(1).startsWith(prompt(0))).toBe(true);
  // The whole talk, the image declared otherwise: the same image by its bytes, so the same talk.
  const again = user(text("what is this?"), image(PNG.replace("image/png", "image/jpeg")));
  await ask(
    door,
    asked(
      first,
      { role: "assistant", content: "answer 0" },
      seen("and now?"),
      { role: "assistant", content: "answer 1" },
      seen("go on"),
    ),
    session,
  );
  expect(prompt(2).startsWith(prompt(1))).toBe(true);
  // Asked for another answer: a branch, after which nothing is doubled.
  await ask(door, asked(again), session);
  expect(provider.exchanges[3]?.json.messages).toEqual([first]);
  const response = await door.request(pathOf("agent:main:trip"));
  expect(await response.json()).toMatchObject({ branches: 2, messages: 7 });
});

test("the published clients send images", async () => {
  const { provider, url } = await start();
  const openai = await openaiOf(url).chat.completions.create({
    model: "openclaw",
    messages: [{ role: "user", content: [text("what?"), { type: "image_url", image_url: { url: PNG } }] }],
  });
  expect(openai.choices[0]?.message.content).toBe("answer 0");
  const { text: words } = await generateText({
    model: aiSdkOf(url),
    messages: [
      {
        role: "user",
        content: [text("what?"), { type: "file", data: fileOf("png", 64), mediaType: "image/png" }],
      },
    ],
  });
  expect(words).toBe("answer 1");
  for (const { json } of provider.exchanges) expect(json.messages).toEqual([seen([text("what?"), image(PNG)])]);
});

test("an unknown input of defineAgent is told at once", () => {
  expect(() => agentOf(async function* () {}, { input: ["smell" as never] })).toThrow('agent main: input "smell"');
});
