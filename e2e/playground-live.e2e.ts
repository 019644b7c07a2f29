import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { openLine } from "../apps/playground/e2e/cuttable-line.ts";
import { deleteSession } from "../apps/playground/e2e/delete-session.ts";
import { type Browser, launchChromium, type Page } from "../apps/playground/e2e/launch-chromium.ts";
import { type RunningPlayground, startPlayground } from "../apps/playground/e2e/start-playground.ts";
import { messageField, openPlayground, sayTo } from "../apps/playground/e2e/visit.ts";
import { serversAreUp } from "./support/mcp-servers.ts";
import { startProvider } from "./support/provider.ts";

/** Milliseconds, on a machine that does much else. */
const LONG_ENOUGH = 20_000;

let provider: Awaited<ReturnType<typeof startProvider>>;
let closeProvider: (() => void) | undefined;
/** Files in it let the worker's tools come to their end. */
let folder: string;
let playground: RunningPlayground;
let browser: Browser;
/** The window that began the talk, and all that the pages complained about. */
let first: Page;
let complaints: string[];
/** The sessions of which that window has heard all there is, and hears what comes. */
let watched: Set<string>;

beforeAll(async () => {
  provider = await startProvider((close) => {
    closeProvider = close;
  });
  folder = await mkdtemp(join(tmpdir(), "openclaw-live-"));
  const tools = { allow: [] };
  playground = await startPlayground({
    models: {
      providers: {
        stand: { baseUrl: provider.baseUrl, apiKey: "none" },
        nobody: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "none" },
      },
    },
    agents: {
      list: [
        { id: "main", model: "stand/in", default: true, tools },
        { id: "broken", model: "nobody/there", tools },
        { id: "worker", model: "stand/in" },
      ],
    },
    mcp: {
      servers: {
        patient: { command: process.execPath, args: [join(import.meta.dirname, "support/patient-server.mjs"), folder] },
      },
    },
  });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await playground?.stop();
  closeProvider?.();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  complaints = [];
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(LONG_ENOUGH);
  context.on("weberror", (error) => complaints.push(String(error.error())));
  first = await context.newPage();
  watched = followWatches(first);
  await openPlayground(first, playground);
});
afterEach(async () => {
  await first?.context().close();
  expect(complaints).toEqual([]);
});

test("what one window says the other shows while it is written, once and in order", async () => {
  await exchange(first, "One?", "1.");
  const second = await openSecond();
  expect(await talk(second)).toEqual(["One?", "1."]);
  expect(second.url()).toBe(first.url());
  expect(second.url()).toMatch(/#session=agent:main:playground-\w+$/);

  await sayTo(second, "Two?");
  const call = await provider.call();
  await first.locator(".said").getByText("Two?").waitFor();
  call.say("Not yet");
  await live(first).getByText("Not yet").waitFor();
  await live(first).getByText("from elsewhere").waitFor();
  await spoken(first, "Elsewhere: Answering");
  call.say(", but now: 2.");
  await live(first).getByText("Not yet, but now: 2.").waitFor();
  call.finish();
  await spoken(first, "Elsewhere: Not yet, but now: 2.");
  await exchange(first, "Three?", "3.");
  const all = ["One?", "1.", "Two?", "Not yet, but now: 2.", "Three?", "3."];
  await shows(second, all);
  expect(await talk(first)).toEqual(all);
  expect(await first.getByText("from elsewhere").count()).toBe(2);
  // What each said itself has no mark, and no notice that another agent answers.
  expect(await second.getByText("from elsewhere").count()).toBe(2);
  expect(await first.locator(".note").count()).toBe(0);

  await second.reload();
  await shows(second, all);
});

test("what a program says over HTTP is shown, to a window that comes late, too, and can be stopped there", async () => {
  const { key } = await begin();
  const asked = askOverHttp(key, "From a program.");
  const call = await provider.call();
  call.say("Half of ");
  await live(first).getByText("Half of").waitFor();
  const second = await openSecond();
  await live(second).getByText("Half of").waitFor();
  call.say("the answer");
  await live(second).getByText("Half of the answer").waitFor();
  expect((await talk(second)).slice(2)).toEqual(["From a program.", "Half of the answer"]);
  await second.getByRole("button", { name: "Stop" }).click();
  expect(await asked).toContain("run_aborted");
  for (const page of [first, second]) {
    await page.locator("article[data-status=stopped]").getByText("Half of the answer").waitFor();
    expect((await talk(page)).slice(2)).toEqual(["From a program.", "Half of the answer"]);
    await page.getByRole("button", { name: "Send" }).waitFor();
  }
});

test("a question that is heard of after its answer has begun stands before it", async () => {
  const { key } = await begin();
  const asked = askOverHttp(key, "From a program.");
  const call = await provider.call();
  call.say("Half of ");
  await live(first).getByText("Half of").waitFor();
  let isLeftOut = false;
  await first.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    // Read in the moment in which the run began, and its question was not kept yet.
    server.onMessage((text) => {
      const frame = JSON.parse(String(text));
      const { inFlightRun, messages } = Object(frame.payload);
      if (inFlightRun && !isLeftOut) isLeftOut = messages.pop() !== undefined;
      socket.send(JSON.stringify(frame));
    });
  });
  await first.reload();
  await live(first).getByText("Half of").waitFor();
  expect(isLeftOut).toBe(true);
  // Whatever is done to the session, the page reads it again.
  await fetch(`${playground.url}/v1/sessions/${encodeURIComponent(key)}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${playground.token}`, "content-type": "application/json" },
    body: JSON.stringify({ title: "Named meanwhile" }),
  });
  await shows(first, ["Begin.", "Begun.", "From a program.", "Half of "]);
  call.say("the answer");
  call.finish();
  await asked;
  await shows(first, ["Begin.", "Begun.", "From a program.", "Half of the answer"]);
});

test("one window stops what another has asked", async () => {
  await begin();
  const second = await openSecond();
  await sayTo(first, "Talk on and on.");
  (await provider.call()).say("And on");
  await live(second).getByText("And on").waitFor();
  await second.getByRole("button", { name: "Stop" }).click();
  await first.locator("article[data-status=stopped]").getByText("stopped elsewhere").waitFor();
  await second.locator("article[data-status=stopped]").waitFor();
  // The pages still talk.
  await exchange(second, "And now?", "Yes.");
  const all = ["Begin.", "Begun.", "Talk on and on.", "And on", "And now?", "Yes."];
  await shows(first, all);
  expect(await talk(second)).toEqual(all);
});

test("what fails elsewhere is seen to fail, and a session that goes another way or goes is followed", async () => {
  const broken = "agent:broken:a-talk";
  await askOverHttp(broken, "Anybody?", "openclaw/broken");
  await openKey(broken);
  await askOverHttp(broken, "Nobody?", "openclaw/broken");
  await first.locator(".said").getByText("Nobody?").waitFor();
  await first.getByRole("alert").getByText("This answer failed").waitFor();

  const key = "agent:main:a-talk";
  for (const text of ["One", "Two"]) await Promise.all([askOverHttp(key, `${text}?`), answer(`${text}.`)]);
  await openKey(key);
  await shows(first, ["One?", "One.", "Two?", "Two."]);
  const before = [
    { role: "user", content: "One?" },
    { role: "assistant", content: "One." },
  ];
  await Promise.all([askOverHttp(key, "Instead?", "openclaw", before), answer("Instead.")]);
  const instead = ["One?", "One.", "Instead?", "Instead."];
  await shows(first, instead);
  // It was opened anew. Once it shows what is said, it will hear that it is gone.
  await Promise.all([askOverHttp(key, "Heard?"), answer("Heard.")]);
  await shows(first, [...instead, "Heard?", "Heard."]);
  await deleteSession(playground, key);
  await first.getByText("This is not there any more").waitFor();
  expect(first.url()).toBe(`${playground.url}/`);
});

test("two windows that speak at the same time show the same talk", async () => {
  await begin();
  const second = await openSecond();
  await Promise.all([sayTo(first, "I am first."), sayTo(second, "No, I am.")]);
  for (const word of ["A", "B"]) {
    const call = await provider.call();
    call.say(`${word}1 `);
    for (const page of [first, second]) await page.locator(".text").getByText(`${word}1`).waitFor();
    call.say(`${word}2`);
    call.finish();
  }
  for (const page of [first, second]) {
    await page.locator("article[data-status=done]").nth(2).waitFor();
  }
  const before = await talk(first);
  expect(await talk(second)).toEqual(before);
  expect(before.toSorted()).toEqual(["Begin.", "Begun.", "I am first.", "No, I am.", "A1 A2", "B1 B2"].toSorted());

  // In the same words, too: which is whose shows when the gateway says so.
  await Promise.all([sayTo(first, "Same."), sayTo(second, "Same.")]);
  for (const word of ["C", "D"]) {
    const call = await provider.call();
    call.say(word);
    call.finish();
  }
  for (const page of [first, second]) {
    await shows(page, [...before, "Same.", "C", "Same.", "D"]);
  }
});

test("a window whose connection is cut says so, comes back by itself and has missed nothing", async () => {
  const line = await openLine(playground.url);
  onTestFinished(line.close);
  const { key } = await begin();
  const second = await first.context().newPage();
  await openPlayground(second, { ...playground, url: line.url });
  await second.goto(`${line.url}/#session=${key}`);
  await shows(second, ["Begin.", "Begun."]);

  await sayTo(first, "Before and after.");
  const call = await provider.call();
  call.say("Before, ");
  await live(second).getByText("Before,").waitFor();
  line.cut();
  await second.getByRole("status").getByText("Not live, reconnecting").waitFor();
  call.say("meanwhile, ");
  await live(first).getByText("meanwhile,").waitFor();
  line.mend();
  await live(second).getByText("Before, meanwhile,").waitFor();
  expect(await second.getByText("Not live").count()).toBe(0);
  line.cut();
  await second.getByText("Not live").waitFor();
  call.say("after.");
  call.finish();
  // While it waits for an answer it takes no question.
  await first.locator("article[data-status=done]").nth(1).waitFor();
  await exchange(first, "And?", "No more.");
  line.mend();
  const all = ["Begin.", "Begun.", "Before and after.", "Before, meanwhile, after.", "And?", "No more."];
  await shows(second, all);
  await exchange(second, "Still there?", "Yes.");
  await shows(first, [...all, "Still there?", "Yes."]);
});

test("without a socket the page works as before", async () => {
  await first.routeWebSocket(/./, (socket) => socket.close());
  await first.reload();
  await exchange(first, "One?", "1.");
  await exchange(first, "Two?", "2.");
  expect(await talk(first)).toEqual(["One?", "1.", "Two?", "2."]);
  expect(await first.getByText("Not live").count()).toBe(0);
});

test("an agent at work elsewhere is seen at work, by whoever opens its session from the list", async () => {
  await serversAreUp(playground);
  const asked = askOverHttp("agent:worker:a-job", "Fetch it, and keep it.", "openclaw/worker");
  (await provider.call()).use("patient__fetch_it");
  await writeFile(join(folder, "fetch_it"), "");
  const call = await provider.call();
  await listed("a-job").getByText("answering").waitFor();
  await listed("a-job").getByRole("button").first().click();
  await live(first).waitFor();
  call.use("patient__keep_it");
  await live(first).locator("[data-state=running]").getByText("keep_it").waitFor();
  await writeFile(join(folder, "keep_it"), "");
  await answer("Both are there.");
  await asked;
  await first.locator("article[data-status=done]").waitFor();
  expect(await first.locator(".text").last().textContent()).toBe("Both are there.");
  // As the session keeps it, results and all.
  const kept = first.locator(".tool").filter({ hasText: "keep_it" });
  await kept.locator("dd").getByText("keep_it is there").waitFor({ state: "attached" });
  expect(await first.locator(".tool").count()).toBe(2);
});

test("the list of sessions shows which of them are answering now, and new ones", async () => {
  const asked = askOverHttp("agent:main:listed", "Hello?");
  const call = await provider.call();
  await listed("listed").getByText("answering").waitFor();
  expect(await listed("listed").locator(".live").count()).toBe(1);
  call.say("Hello.");
  call.finish();
  await asked;
  await listed("listed").getByText("2 messages · just now").waitFor();
  expect(await listed("listed").locator(".live").count()).toBe(0);
  await deleteSession(playground, "agent:main:listed");
  await listed("listed").waitFor({ state: "detached" });
});

/** What the talk says, from top to bottom. */
async function talk(page: Page): Promise<string[]> {
  return page.locator(".transcript li .text, .transcript li.said").evaluateAll((all) =>
    all.map((one) => {
      const copy = (one as unknown as { cloneNode(deep: boolean): never }).cloneNode(true) as unknown as {
        querySelector(selector: string): { remove(): void } | null;
        textContent: string;
      };
      copy.querySelector(".elsewhere")?.remove();
      return copy.textContent;
    }),
  );
}

async function shows(page: Page, all: readonly string[]): Promise<void> {
  await expect.poll(() => talk(page), { timeout: LONG_ENOUGH }).toEqual(all);
}

function live(page: Page) {
  return page.locator("article[data-status=running]");
}

function listed(name: string) {
  return first.getByRole("region", { name: "Sessions" }).getByRole("listitem").filter({ hasText: name });
}

/** What the model says next. */
async function answer(text: string): Promise<void> {
  const call = await provider.call();
  call.say(text);
  call.finish();
}

/** Says it and has it answered. */
async function exchange(page: Page, question: string, text: string): Promise<void> {
  const before = await page.locator("article[data-status=done]").count();
  await sayTo(page, question);
  await answer(text);
  await page.locator("article[data-status=done]").nth(before).waitFor();
}

/** A talk in the first window, and what its session is called. */
async function begin(): Promise<{ key: string }> {
  await exchange(first, "Begin.", "Begun.");
  return { key: decodeURIComponent(new URL(first.url()).hash.replace("#session=", "")) };
}

/** As whoever gets the address and has let the page in before. */
async function openKey(key: string): Promise<void> {
  await first.goto(`${playground.url}/#session=${key}`);
  await first.getByRole("link", { name: "Open in a second window" }).waitFor();
  // What fails now, fails within milliseconds, and nobody is told of it later.
  await expect.poll(() => watched).toContain(key);
}

/** The keys of the sessions that a page watches, as they come to be. */
function followWatches(page: Page): Set<string> {
  const keys = new Set<string>();
  page.on("websocket", (socket) => {
    const asked = new Map<string, string>();
    socket.on("framesent", ({ payload }) => {
      const { id, method, params } = JSON.parse(String(payload));
      // The last that is asked for, once the gateway tells what happens.
      if (method === "chat.history") asked.set(id, params.sessionKey);
    });
    socket.on("framereceived", ({ payload }) => {
      const key = asked.get(JSON.parse(String(payload)).id);
      if (key !== undefined) keys.add(key);
    });
  });
  return keys;
}

/** As a person does it: the token comes along, and not in the address. */
async function openSecond(): Promise<Page> {
  const opened = first.waitForEvent("popup");
  await first.getByRole("link", { name: "Open in a second window" }).click();
  const second = await opened;
  await messageField(second).waitFor();
  await second.locator("article").first().waitFor();
  return second;
}

async function spoken(page: Page, text: string): Promise<void> {
  await page.locator("[aria-live=polite]").getByText(text, { exact: true }).waitFor({ state: "attached" });
}

/** As any program does, with what was said before if that is not to be what the session has. Returns the whole answer. */
async function askOverHttp(
  key: string,
  text: string,
  model = "openclaw",
  before: readonly object[] = [],
): Promise<string> {
  const response = await fetch(`${playground.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${playground.token}`,
      "content-type": "application/json",
      "x-openclaw-session-key": key,
    },
    body: JSON.stringify({ model, stream: true, messages: [...before, { role: "user", content: text }] }),
  });
  return response.text();
}
