import { expect, test } from "vitest";
import { startWithProvider } from "../support/provider-gateway.ts";
import { type Forwarding, OpenWebUi } from "./open-webui.ts";
import { answerNext, headByHand, heardIn } from "./replay.ts";

/** Both ways to get the chat's id to the gateway; with the second, side tasks are not named as such. */
const FORWARDINGS: Forwarding[] = ["connection", "environment"];
const soon = { timeout: 10_000, interval: 5 };

for (const forwarding of FORWARDINGS) {
  const by = `by ${forwarding}`;

  for (const concurrency of ["queue", "reject"] as const) {
    const policy = `with ${concurrency}, ${by}`;
    const start = () => startWithProvider({ config: { sessions: { concurrency } } });

    test(`a side task does not wait for the answer it comes along with, ${policy}`, async () => {
      const door = await start();
      const ui = new OpenWebUi(door, { forwarding });
      const answer = ui.begin("one");
      const main = (await door.provider.next()).open();
      await main.say("ans");
      await answer.reads("ans");
      const title = ui.firstTitle("one");
      expect(heardIn(await answerNext(door, '{ "title": "One" }'))).toMatch(/^user: ### Task:\nGenerate a concise/);
      expect((await title).status).toBe(200);
      await main.say("wer");
      main.finish();
      expect(await answer.done).toMatchObject({ status: 200, text: "answer" });
      expect(await headByHand(door, ui.sessionKey)).toBe("user: one | assistant: answer");
    });

    // Since 0.11 a chat's first question and its title are sent together; either may come first.
    test(`a title that comes before the chat's first question does not hold it up, ${policy}`, async () => {
      const door = await start();
      const ui = new OpenWebUi(door, { forwarding });
      const title = ui.firstTitle("one");
      const task = await door.provider.next();
      const answer = ui.send("one");
      await expect.poll(() => door.provider.exchanges.length, soon).toBe(2);
      expect(heardIn(await answerNext(door, "answer"))).toBe("user: one");
      expect((await answer).status).toBe(200);
      task.answer(200, { choices: [{ message: { content: '{ "title": "One" }' } }] });
      expect((await title).status).toBe(200);
      const next = ui.send("two");
      expect(heardIn(await answerNext(door, "answer 2"))).toBe("user: one | assistant: answer | user: two");
      await next;
      expect(await headByHand(door, ui.sessionKey)).toBe(
        "user: one | assistant: answer | user: two | assistant: answer 2",
      );
    });

    test(`a chat's first question and its title, sent at once, do not hold each other up, ${policy}`, async () => {
      const door = await start();
      const ui = new OpenWebUi(door, { forwarding });
      const title = ui.firstTitle("one");
      const answer = ui.send("one");
      await expect.poll(() => door.provider.exchanges.length, soon).toBe(2);
      for (let request = 0; request < 2; request++) await answerNext(door, "answer");
      expect([(await title).status, (await answer).status]).toEqual([200, 200]);
      const next = ui.send("two");
      expect(heardIn(await answerNext(door, "answer 2"))).toBe("user: one | assistant: answer | user: two");
      expect((await next).status).toBe(200);
    });
  }

  test(`two tabs: the second one's question waits for the first one's answer, ${by}`, async () => {
    const door = await startWithProvider();
    const { here, there } = await openTwoTabs(door, forwarding);
    const mine = here.send("two");
    const first = (await door.provider.next()).open();
    const theirs = there.send("three");
    await expect.poll(() => door.gateway.runs.active, soon).toBe(2);
    expect(door.provider.exchanges).toHaveLength(2);
    await first.say("answer 2");
    first.finish();
    await mine;
    // It does not know of the other tab's question, and the model is told what it knows.
    expect(heardIn(await answerNext(door, "answer 3"))).toBe("user: one | assistant: answer 1 | user: three");
    expect((await theirs).status).toBe(200);
    const onward = here.send("four");
    expect(heardIn(await answerNext(door, "answer 4"))).toBe(
      "user: one | assistant: answer 1 | user: two | assistant: answer 2 | user: four",
    );
    await onward;
    expect(await headByHand(door, here.sessionKey)).toBe(
      "user: one | assistant: answer 1 | user: two | assistant: answer 2 | user: four | assistant: answer 4",
    );
  });

  test(`two tabs, with reject: the second one is refused while the first one is answered, ${by}`, async () => {
    const door = await startWithProvider({ config: { sessions: { concurrency: "reject" } } });
    const { here, there } = await openTwoTabs(door, forwarding);
    const mine = here.send("two");
    const first = (await door.provider.next()).open();
    const refused = await there.send("three");
    expect([refused.status, refused.error?.code]).toEqual([409, "session_busy"]);
    await first.say("answer 2");
    first.finish();
    expect((await mine).status).toBe(200);
  });
}

type Door = Awaited<ReturnType<typeof startWithProvider>>;

async function openTwoTabs(door: Door, forwarding: Forwarding) {
  const here = new OpenWebUi(door, { forwarding });
  const opening = here.send("one");
  await answerNext(door, "answer 1");
  await opening;
  return { here, there: here.anotherTab() };
}
