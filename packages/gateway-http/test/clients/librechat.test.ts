import { expect, test } from "vitest";
import { startWithProvider } from "../support/provider-gateway.ts";
import { ACCOUNT, type Endpoint, LibreChat } from "./libre-chat.ts";
import { answerNext, headByHand, headOf, heardIn, startAnswering } from "./replay.ts";

const ID = "{{LIBRECHAT_BODY_CONVERSATIONID}}";
const dropParams = ["user"];
const soon = { timeout: 10_000, interval: 5 };

/** The conversation's id as a chat's: the gateway knows that every request has all of the talk. */
const CHAT: Endpoint = { headers: { "x-openwebui-chat-id": ID }, dropParams };
/** The conversation's id as a session key. */
const KEY: Endpoint = { headers: { "x-openclaw-session-key": ID }, dropParams };

const chatKey = (ui: LibreChat) => `agent:main:openai-chat:${ui.conversationId}`;
const sessionKey = (ui: LibreChat) => `agent:main:${ui.conversationId}`;

const RECIPES = [
  { recipe: "as a chat's id", endpoint: CHAT, keyOf: chatKey },
  { recipe: "as a session key", endpoint: KEY, keyOf: sessionKey },
];

for (const { recipe, endpoint, keyOf } of RECIPES) {
  test(`a talk: every request has all of it, ${recipe}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new LibreChat(door, endpoint, "Be brief.");
    await ui.send("one");
    expect(heard()).toBe("system: Be brief. | user: one");
    await ui.send("two");
    expect(heard()).toBe("system: Be brief. | user: one | assistant: answer 1 | user: two");
    expect(await headOf(door, keyOf(ui))).toBe("user: one | assistant: answer 1 | user: two | assistant: answer 2");
  });

  test(`two conversations of one account know nothing of each other, ${recipe}`, async () => {
    const { heard, ...door } = await startAnswering();
    await new LibreChat(door, endpoint).send("one");
    const other = new LibreChat(door, endpoint);
    await other.send("uno");
    expect(heard()).toBe("user: uno");
    expect(await headOf(door, keyOf(other))).toBe("user: uno | assistant: answer 2");
  });

  test(`from the second turn on: regenerate, an edited question, an edited answer, ${recipe}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new LibreChat(door, endpoint);
    await ui.send("one");
    await ui.send("two");
    await ui.regenerate();
    expect(heard()).toBe("user: one | assistant: answer 1 | user: two");
    await ui.editQuestion("due");
    expect(heard()).toBe("user: one | assistant: answer 1 | user: due");
    ui.editAnswer("my own words");
    await ui.send("three");
    expect(heard()).toBe("user: one | assistant: answer 1 | user: due | assistant: my own words | user: three");
    expect(await headOf(door, keyOf(ui))).toBe(
      "user: one | assistant: answer 1 | user: due | assistant: my own words | user: three | assistant: answer 5",
    );
  });

  test(`the first answer is regenerated after a second turn, ${recipe}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new LibreChat(door, endpoint);
    await ui.send("one");
    const [question] = ui.tree.path();
    await ui.send("two");
    ui.tree.current = question;
    await ui.regenerate();
    expect(heard()).toBe("user: one");
    expect(await headOf(door, keyOf(ui))).toBe("user: one | assistant: answer 3");
  });

  test(`a title after the first answer does no harm to the talk, ${recipe}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new LibreChat(door, endpoint);
    await ui.send("one");
    await ui.finalTitle();
    await ui.send("two");
    expect(heard()).toBe("user: one | assistant: answer 1 | user: two");
    expect(await headOf(door, keyOf(ui))).toBe("user: one | assistant: answer 1 | user: two | assistant: answer 2");
  });

  test(`a stopped answer: the talk goes on from what was seen of it, ${recipe}`, async () => {
    const door = await startWithProvider();
    const ui = new LibreChat(door, endpoint);
    const stopped = ui.begin("one");
    const first = (await door.provider.next()).open();
    await first.say("half");
    await stopped.reads("half");
    stopped.stop();
    expect(await first.closed).toEqual({ early: true });
    ui.tree.add("assistant", "half");
    const next = ui.send("go on");
    expect(heardIn(await answerNext(door, "the rest"))).toBe("user: one | assistant: half | user: go on");
    await next;
    expect(await headByHand(door, keyOf(ui))).toBe("user: one | assistant: half | user: go on | assistant: the rest");
  });
}

test("regenerate and edit of the first question, as a chat's id: the model hears only the question", async () => {
  const { heard, ...door } = await startAnswering();
  const ui = new LibreChat(door, CHAT);
  await ui.send("one");
  await ui.regenerate();
  expect(heard()).toBe("user: one");
  await ui.editQuestion("uno");
  expect(heard()).toBe("user: uno");
  await ui.send("two");
  expect(heard()).toBe("user: uno | assistant: answer 3 | user: two");
  expect(await headOf(door, chatKey(ui))).toBe("user: uno | assistant: answer 3 | user: two | assistant: answer 4");
});

// A session whose caller never sent history takes a lone message for what comes next (http.md §3): the reason why
// docs/clients.md gives the conversation's id as a chat's.
test("regenerate and edit of the first question, as a session key: taken for the next question", async () => {
  const { heard, ...door } = await startAnswering();
  const ui = new LibreChat(door, KEY);
  await ui.send("one");
  await ui.regenerate();
  expect(heard()).toBe("user: one | assistant: answer 1 | user: one");
  await ui.editQuestion("uno");
  expect(heard()).toBe("user: one | assistant: answer 1 | user: one | assistant: answer 2 | user: uno");
});

test("a title after the first answer: as a chat's id the model hears only the task", async () => {
  const { heard, ...door } = await startAnswering();
  const chat = new LibreChat(door, CHAT);
  await chat.send("one");
  await chat.finalTitle();
  expect(heard()).toMatch(/^user: Provide a concise, 5-word-or-less title/);
  expect(await headOf(door, chatKey(chat))).toBe("user: one | assistant: answer 1");
});

for (const concurrency of ["queue", "reject"] as const) {
  const start = () => startWithProvider({ config: { sessions: { concurrency } } });

  // `titleTiming: "immediate"`, the default: the title is asked for beside the first question; either may come first.
  test(`a title does not wait for the first answer, with ${concurrency}`, async () => {
    const door = await start();
    const ui = new LibreChat(door, CHAT);
    const answer = ui.send("one");
    const main = await door.provider.next();
    const title = ui.title("one");
    await expect.poll(() => door.provider.exchanges.length, soon).toBe(2);
    expect(heardIn(await answerNext(door, "One"))).toMatch(/^user: Provide a concise/);
    expect((await title).status).toBe(200);
    await main.open().say("answer");
    main.finish();
    expect((await answer).status).toBe(200);
    expect(await headByHand(door, chatKey(ui))).toBe("user: one | assistant: answer");
  });

  test(`a title that comes before the first question does not hold it up, with ${concurrency}`, async () => {
    const door = await start();
    const ui = new LibreChat(door, CHAT);
    const title = ui.title("one");
    const task = await door.provider.next();
    const answer = ui.send("one");
    await expect.poll(() => door.provider.exchanges.length, soon).toBe(2);
    expect(heardIn(await answerNext(door, "answer"))).toBe("user: one");
    expect((await answer).status).toBe(200);
    task.answer(200, { choices: [{ message: { content: "One" } }] });
    expect((await title).status).toBe(200);
    const next = ui.send("two");
    expect(heardIn(await answerNext(door, "answer 2"))).toBe("user: one | assistant: answer | user: two");
    await next;
    expect(await headByHand(door, chatKey(ui))).toBe("user: one | assistant: answer | user: two | assistant: answer 2");
  });

  test(`the first question and its title, sent at once, do not hold each other up, with ${concurrency}`, async () => {
    const door = await start();
    const ui = new LibreChat(door, CHAT);
    const title = ui.title("one");
    const answer = ui.send("one");
    await expect.poll(() => door.provider.exchanges.length, soon).toBe(2);
    for (let request = 0; request < 2; request++) await answerNext(door, "answer");
    expect([(await title).status, (await answer).status]).toEqual([200, 200]);
  });
}

test("without a header and with user: all conversations of an account are one session", async () => {
  const { heard, ...door } = await startAnswering();
  await new LibreChat(door).send("one");
  const other = new LibreChat(door);
  await other.send("uno");
  // What is said in one conversation is heard in the next: so there is `dropParams`, or the header, which wins.
  expect(heard()).toBe("user: one | assistant: answer 1 | user: uno");
  expect(await headOf(door, `agent:main:openai-user:${ACCOUNT}`)).toMatch(/answer 2$/);
});

test("without a header and with user dropped: nothing is remembered, and nothing of it is missed", async () => {
  const { heard, ...door } = await startAnswering();
  const ui = new LibreChat(door, { dropParams });
  await ui.send("one");
  await ui.send("two");
  expect(heard()).toBe("user: one | assistant: answer 1 | user: two");
  await new LibreChat(door, { dropParams }).send("uno");
  expect(heard()).toBe("user: uno");
});

for (const { recipe, endpoint, keyOf } of RECIPES) {
  test(`the conversation's id wins over user, ${recipe}`, async () => {
    const { heard, ...door } = await startAnswering();
    const ui = new LibreChat(door, { headers: endpoint.headers ?? {} });
    await ui.send("one");
    await new LibreChat(door, { headers: endpoint.headers ?? {} }).send("uno");
    expect(heard()).toBe("user: uno");
    // The account's id stays here: the provider does not get it.
    expect(door.provider.exchanges[0]?.json).not.toHaveProperty("user");
    expect(await headOf(door, keyOf(ui))).toBe("user: one | assistant: answer 1");
    expect(await headOf(door, `agent:main:openai-user:${ACCOUNT}`)).toBe("");
  });
}
