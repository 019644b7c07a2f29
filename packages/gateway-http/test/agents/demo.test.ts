import { expect, test } from "vitest";
import { ask, askStream, hi } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const says = (content: unknown, more: object = {}) => hi({ messages: [{ role: "user", content }], ...more });

test("a gateway without agents has a demo that says what it is", async () => {
  const { text } = await ask(await startGateway(), says("Hello there"));
  expect(text).toContain("“Hello there”");
  expect(text).toContain("demo");
  expect(text).toContain("OPENAI_API_KEY");
});

test("the demo says the same for the same talk, streamed or not, piece by piece", async () => {
  const door = await startGateway();
  const { text, chunks } = await askStream(door);
  expect((await ask(door)).text).toBe(text);
  expect((await ask(door)).text).toBe(text);
  expect(chunks.length).toBeGreaterThan(20);
});

test("the demo shows what its session remembers", async () => {
  const door = await startGateway();
  const answers: (string | null | undefined)[] = [];
  for (const text of ["first words", "second", "third"]) {
    answers.push((await ask(door, says(text, { user: "ann" }))).text);
  }
  expect(answers[0]).toContain("the first thing I hear");
  expect(answers[1]).toContain("one message in this session, the first was “first words”");
  expect(answers[2]).toContain("2 messages in this session, the first was “first words”");
  expect((await ask(door, says("alone"))).text).toContain("the first thing I hear");
});

test("the demo repeats a line, not a book, and reads parts", async () => {
  const door = await startGateway();
  const { text } = await ask(door, says(`${"long ".repeat(1000)}\nsecond line`));
  expect(text?.length).toBeLessThan(1000);
  expect(text).not.toContain("second line");
  const parts = ["pa", "rt"].map((piece) => ({ type: "text", text: piece }));
  expect((await ask(door, says(parts))).text).toContain("“part”");
});

test("a client that leaves ends the demo", async () => {
  const { gateway, ...door } = await startGateway();
  const controller = new AbortController();
  const response = await door.request("/v1/chat/completions", {
    body: says("hi", { stream: true }),
    signal: controller.signal,
  });
  controller.abort();
  await response.text().catch(() => {});
  await expect.poll(() => gateway.runs.active, { interval: 5 }).toBe(0);
});
