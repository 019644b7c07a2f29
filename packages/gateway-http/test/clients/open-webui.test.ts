import { expect, test } from "vitest";
import { startWithProvider } from "../support/provider-gateway.ts";
import { type Forwarding, OpenWebUi, ragPrompt } from "./open-webui.ts";
import { answerNext, headByHand, headOf, heardIn, startAnswering } from "./replay.ts";

/** Both ways to get the chat's id to the gateway; with the second, side tasks are not named as such. */
const FORWARDINGS: Forwarding[] = ["connection", "environment"];

for (const forwarding of FORWARDINGS) {
  const by = `by ${forwarding}`;

  test(`a talk: every request has all of it, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding, system: "Be brief." });
    await ui.send("one");
    expect(heard()).toBe("system: Be brief. | user: one");
    await ui.send("two");
    expect(heard()).toBe("system: Be brief. | user: one | assistant: answer 1 | user: two");
    await ui.send("three");
    expect(heard()).toBe(
      "system: Be brief. | user: one | assistant: answer 1 | user: two | assistant: answer 2 | user: three",
    );
    expect(await headOf(door, ui.sessionKey)).toBe(
      "user: one | assistant: answer 1 | user: two | assistant: answer 2 | user: three | assistant: answer 3",
    );
  });

  test(`regenerate: the model hears the path to the question, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.send("one");
    await ui.regenerate();
    expect(heard()).toBe("user: one");
    await ui.send("two");
    expect(heard()).toBe("user: one | assistant: answer 2 | user: two");
    await ui.regenerate();
    expect(heard()).toBe("user: one | assistant: answer 2 | user: two");
    expect(await headOf(door, ui.sessionKey)).toBe("user: one | assistant: answer 2 | user: two | assistant: answer 4");
  });

  test(`the talk goes on from an older answer, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.send("one");
    const older = ui.tree.last("assistant");
    await ui.regenerate();
    ui.switchTo(older);
    await ui.send("two");
    expect(heard()).toBe("user: one | assistant: answer 1 | user: two");
    expect(await headOf(door, ui.sessionKey)).toBe("user: one | assistant: answer 1 | user: two | assistant: answer 3");
  });

  test(`an edited question: the model hears nothing of what followed the old one, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.send("one");
    await ui.editQuestion("uno");
    expect(heard()).toBe("user: uno");
    await ui.send("two");
    await ui.editQuestion("due");
    expect(heard()).toBe("user: uno | assistant: answer 2 | user: due");
    await ui.send("three");
    expect(heard()).toBe("user: uno | assistant: answer 2 | user: due | assistant: answer 4 | user: three");
    expect(await headOf(door, ui.sessionKey)).toBe(
      "user: uno | assistant: answer 2 | user: due | assistant: answer 4 | user: three | assistant: answer 5",
    );
  });

  test(`an edited answer: the model hears it as it was edited, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.send("one");
    ui.editAnswer("my own words");
    await ui.send("two");
    expect(heard()).toBe("user: one | assistant: my own words | user: two");
    await ui.send("three");
    expect(heard()).toBe("user: one | assistant: my own words | user: two | assistant: answer 2 | user: three");
    expect(await headOf(door, ui.sessionKey)).toBe(
      "user: one | assistant: my own words | user: two | assistant: answer 2 | user: three | assistant: answer 3",
    );
  });

  test(`continue: the answer is the last message, and later one with what came, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.send("one");
    await ui.continueAnswer();
    expect(heard()).toBe("user: one | assistant: answer 1");
    await ui.send("two");
    expect(heard()).toBe("user: one | assistant: answer 1answer 2 | user: two");
    expect(await headOf(door, ui.sessionKey)).toBe(
      "user: one | assistant: answer 1answer 2 | user: two | assistant: answer 3",
    );
  });

  test(`side tasks after an answer: the model hears only the task, and the talk nothing of it, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.send("one");
    await ui.tasksAfterAnswer();
    const tasks = door.provider.exchanges.slice(1);
    for (const { json } of tasks) {
      expect(json.messages).toEqual([{ role: "user", content: expect.stringMatching(/^### Task:/) }]);
    }
    expect(tasks).toHaveLength(3);
    await ui.send("two");
    expect(heard()).toBe("user: one | assistant: answer 1 | user: two");
    await ui.tasksAfterAnswer();
    expect(await headOf(door, ui.sessionKey)).toBe("user: one | assistant: answer 1 | user: two | assistant: answer 2");
  });

  test(`a question with retrieved text, which is bare in later requests, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.queries();
    await ui.send("what do my notes say?", { context: "Buy milk." });
    expect(heard()).toBe(`user: ${ragPrompt("Buy milk.", "what do my notes say?")}`);
    await ui.send("and else?", { context: "Call Ann." });
    expect(heard()).toBe(
      `user: what do my notes say? | assistant: answer 1 | user: ${ragPrompt("Call Ann.", "and else?")}`,
    );
    await ui.send("thanks");
    expect(heard()).toBe(
      "user: what do my notes say? | assistant: answer 1 | user: and else? | assistant: answer 2 | user: thanks",
    );
    // The bare questions were vouched for by their answers, so all of it is one branch, with the text first retrieved.
    expect(await headOf(door, ui.sessionKey)).toBe(
      `user: ${ragPrompt("Buy milk.", "what do my notes say?")} | assistant: answer 1 | user: ${ragPrompt("Call Ann.", "and else?")} | assistant: answer 2 | user: thanks | assistant: answer 3`,
    );
  });

  test(`the same queries are asked for again when an answer is regenerated, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding });
    await ui.send("one");
    ui.tree.add("user", "two");
    await ui.queries();
    ui.tree.current = ui.tree.last("assistant");
    await ui.send("two", { context: "Two." });
    ui.tree.current = ui.tree.last("user");
    await ui.queries();
    await ui.regenerate({ context: "Two." });
    const retrieved = ragPrompt("Two.", "two");
    expect(heard()).toBe(`user: one | assistant: answer 1 | user: ${retrieved}`);
    expect(await headOf(door, ui.sessionKey)).toBe(
      `user: one | assistant: answer 1 | user: ${retrieved} | assistant: answer 3`,
    );
  });

  test(`a stopped answer: the talk goes on from what was seen of it, ${by}`, async () => {
    const door = await startWithProvider();
    const ui = new OpenWebUi(door, { forwarding });
    const stopped = ui.begin("one");
    const first = (await door.provider.next()).open();
    // The gateway may have got more than the browser showed.
    await first.say("half of an answer");
    await stopped.reads("half of");
    stopped.stop();
    expect(await first.closed).toEqual({ early: true });
    ui.keep("half of");
    const next = ui.send("go on");
    expect(heardIn(await answerNext(door, "the rest"))).toBe("user: one | assistant: half of | user: go on");
    await next;
    // What was cut short is remembered as far as the model got.
    expect(await headByHand(door, ui.sessionKey)).toBe(
      "user: one | assistant: half of an answer | user: go on | assistant: the rest",
    );
  });

  test(`a stopped answer is continued, then regenerated, ${by}`, async () => {
    const door = await startWithProvider();
    const ui = new OpenWebUi(door, { forwarding });
    const stopped = ui.begin("one");
    const first = (await door.provider.next()).open();
    await first.say("half");
    await stopped.reads("half");
    stopped.stop();
    await stopped.done;
    ui.keep("half");
    const continued = ui.continueAnswer();
    expect(heardIn(await answerNext(door, " and the rest"))).toBe("user: one | assistant: half");
    await continued;
    expect(ui.tree.last("assistant").content).toBe("half and the rest");
    const again = ui.regenerate();
    expect(heardIn(await answerNext(door, "another"))).toBe("user: one");
    expect((await again).status).toBe(200);
    expect(await headByHand(door, ui.sessionKey)).toBe("user: one | assistant: another");
  });

  test(`a temporary chat is not remembered, ${by}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new OpenWebUi(door, { forwarding, id: "local:Xy3kQmZ0aVn8" });
    await ui.send("one");
    const { key } = await ui.queries();
    await ui.send("two");
    expect(heard()).toBe("user: one | assistant: answer 1 | user: two");
    expect(await headOf(door, ui.sessionKey)).toBe("");
    // Nor under the key that its requests are answered with.
    expect(key).toMatch(/^agent:main:openai:[0-9a-f-]{36}$/);
    expect(await headOf(door, key as string)).toBe("");
  });
}

test("a named side task is stateless, an unnamed one is a branch of the chat", async () => {
  const door = await startAnswering();
  const named = new OpenWebUi(door);
  await named.send("one");
  expect((await named.task("title_generation", "### Task:")).key).toMatch(/^agent:main:openai:[0-9a-f-]{36}$/);
  const unnamed = new OpenWebUi(door, { forwarding: "environment" });
  await unnamed.send("one");
  expect((await unnamed.task("title_generation", "### Task:")).key).toBe(unnamed.sessionKey);
});

test("an empty task header is none: the talk is remembered", async () => {
  const door = await startAnswering();
  const ui = new OpenWebUi(door, { forwarding: "connection" });
  await ui.send("one");
  expect(await headOf(door, ui.sessionKey)).toBe("user: one | assistant: answer 1");
});

test("without a chat, say over Open WebUI's own API, the headers are empty and nothing is remembered", async () => {
  const { heard, ...door } = await startAnswering();
  const ui = new OpenWebUi(door, { forwarding: "connection", id: "" });
  await ui.send("one");
  await ui.send("two");
  expect(heard()).toBe("user: one | assistant: answer 1 | user: two");
  expect((await ui.task("title_generation", "### Task:")).key).toMatch(/^agent:main:openai:[0-9a-f-]{36}$/);
});
