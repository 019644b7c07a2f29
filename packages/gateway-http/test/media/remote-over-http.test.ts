import type { ServerResponse } from "node:http";
import { expect, test, vi } from "vitest";
import { ask, hi, openRaw } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { pathOf } from "../support/sessions.ts";
import { completion } from "../support/stand-in-provider.ts";
import { dataUrl, fileOf, image, startServer, user } from "./fixtures.ts";

// The pictures' server is on this machine. No setting allows that, so the test does.
vi.mock("../../src/media/public-address.ts", () => ({ isPublicAddress: (address: string) => address === "127.0.0.1" }));

const BYTES = fileOf("png", 300);
const INLINE = image(dataUrl(BYTES));

async function start(given: object = {}) {
  const responses: ServerResponse[] = [];
  let answer = (response: ServerResponse) => void response.end(BYTES);
  const { origin } = await startServer((_request, response) => {
    responses.push(response);
    answer(response);
  });
  const images = { allowUrl: true, ...given };
  const started = await startWithProvider({
    script: (exchange, index) => exchange.answer(200, completion(`answer ${index}`)),
    config: { gateway: { http: { endpoints: { chatCompletions: { enabled: true, images } } } } },
  });
  return {
    ...started,
    responses,
    url: `${origin}/a.png`,
    answerWith: (next: typeof answer) => {
      answer = next;
    },
  };
}

const asked = (...messages: unknown[]) => hi({ messages });
const text = (words: string) => ({ type: "text" as const, text: words });

test("the provider is given the image itself", async () => {
  const { provider, url, ...door } = await start();
  expect((await ask({ ...door }, asked(user(text("x"), image(url, { detail: "low" }))))).status).toBe(200);
  const inline = image(dataUrl(BYTES), { detail: "low" });
  expect(provider.exchanges[0]?.json.messages).toEqual([user(text("x"), inline)]);
});

test("an image that cannot be had is a 400 before anything runs, also of a stream", async () => {
  const { provider, url, answerWith, ...door } = await start();
  answerWith((response) => void response.writeHead(404).end());
  for (const stream of [false, true]) {
    const { status, json } = await ask(door, { ...asked(user(image(url))), stream });
    expect([status, json.error.code, json.error.param]).toEqual([
      400,
      "invalid_value",
      "messages[0].content[0].image_url.url",
    ]);
  }
  expect(provider.exchanges).toEqual([]);
});

test("an address inside is not fetched", async () => {
  const { provider, responses, ...door } = await start();
  for (const url of ["http://127.0.0.2/", "http://169.254.169.254/", "http://[::1]/"]) {
    expect((await ask(door, asked(user(image(url))))).json.error.message).toMatch("its host has no public address");
  }
  expect([provider.exchanges, responses]).toEqual([[], []]);
});

test("a URL sent twice is the image that was kept, whether it is a URL or inline the second time", async () => {
  const { provider, url, ...door } = await start();
  const session = { "x-openclaw-session-key": "trip" };
  const question = (part: unknown) => ({ role: "user", content: [text("what is this?"), part] });
  const answer = (index: number) => ({ role: "assistant", content: `answer ${index}` });
  await ask(door, asked(question(image(url))), session);
  await ask(door, asked(question(image(url)), answer(0), { role: "user", content: "and?" }), session);
  await ask(
    door,
    asked(question(INLINE), answer(0), { role: "user", content: "and?" }, answer(1), { role: "user", content: "so?" }),
    session,
  );
  const prompt = (index: number) => provider.exchanges[index]?.body.toString().replace(/\]\}$/, "") ?? "";
  expect(prompt(1).startsWith(prompt(0))).toBe(true);
  expect(prompt(2).startsWith(prompt(1))).toBe(true);
  const response = await door.request(pathOf("agent:main:trip"));
  expect(await response.json()).toMatchObject({ branches: 1, messages: 6 });
  const kept = (await (await door.request(pathOf("agent:main:trip", "/messages"))).json()) as {
    data: { content: unknown }[];
  };
  expect(kept.data[0]?.content).toEqual([text("what is this?"), INLINE]);
});

test("another image under the same URL is another question", async () => {
  const { url, answerWith, ...door } = await start();
  const session = { "x-openclaw-session-key": "trip" };
  const body = (...more: object[]) => asked(user(text("what?"), image(url)), ...more);
  await ask(door, body(), session);
  answerWith((response) => void response.end(fileOf("png", 300, 1)));
  await ask(door, body({ role: "assistant", content: "no such answer" }, { role: "user", content: "x" }), session);
  expect(await (await door.request(pathOf("agent:main:trip"))).json()).toMatchObject({ branches: 2 });
});

test("under a key the answer that is there is said again, even if its image is gone", async () => {
  const { provider, url, answerWith, ...door } = await start();
  const key = { "idempotency-key": "k1" };
  const body = asked(user(image(url)));
  const first = await ask(door, body, key);
  answerWith((response) => void response.writeHead(410).end());
  const second = await ask(door, body, key);
  expect(second.response.headers.get("idempotency-replayed")).toBe("true");
  expect(second.json).toEqual(first.json);
  // A new key starts a run, which needs it; its failure leaves the key free.
  expect((await ask(door, body, { "idempotency-key": "k2" })).status).toBe(400);
  answerWith((response) => void response.end(BYTES));
  expect((await ask(door, body, { "idempotency-key": "k2" })).text).toBe("answer 1");
  expect(provider.exchanges).toHaveLength(2);
});

test("a caller who leaves while an image is fetched ends that, and nothing runs", async () => {
  const { provider, url, responses, answerWith, gateway, ...door } = await start();
  answerWith(() => {});
  const client = openRaw(door, asked(user(image(url))));
  await expect.poll(() => responses.length).toBe(1);
  const closed = new Promise<void>((resolve) => responses[0]?.once("close", () => resolve()));
  client.kill();
  await closed;
  expect([provider.exchanges, gateway.runs.active]).toEqual([[], 0]);
});
