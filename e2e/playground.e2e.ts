import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Browser, launchChromium, type Page } from "../apps/playground/e2e/launch-chromium.ts";
import { type RunningPlayground, startPlayground } from "../apps/playground/e2e/start-playground.ts";
import { messageField, openPlayground, sayTo } from "../apps/playground/e2e/visit.ts";

let playground: RunningPlayground;
let browser: Browser;
let page: Page;
/** Everything the page asked anybody for, and everything it or the browser complained about. */
let requests: { url: string; referer: string | undefined }[];
let complaints: string[];

beforeAll(async () => {
  playground = await startPlayground();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await playground?.stop();
});

beforeEach(async () => {
  requests = [];
  complaints = [];
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on("request", (request) => requests.push({ url: request.url(), referer: request.headers().referer }));
  page.on("console", (message) => {
    // A violation of the Content-Security-Policy is one of these.
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
});
afterEach(async () => {
  await page?.close();
});

test("a person opens the printed address and talks", async () => {
  const addresses = await recordAddressOfEachFetch();
  await openWithToken();
  await say("The first thing.");
  await finished("done", 1);
  expect(await read(lastAnswer())).toContain("It is the first thing I hear in this session.");

  await say("The second thing.");
  await finished("done", 2);
  expect(await read(lastAnswer())).toContain("Before that I heard one message");

  await page.getByRole("button", { name: "New talk" }).click();
  // The first answer of the next talk would be found in this one, as long as it is shown.
  await page.getByRole("heading", { name: "Say something." }).waitFor();
  await say("Something else.");
  await finished("done", 1);
  expect(await read(lastAnswer())).toContain("It is the first thing I hear in this session.");

  expect(addresses.length).toBeGreaterThan(3);
  expect(new Set(addresses.map((address) => address.replace(/#session=agent:main:playground-\w+$/, "")))).toEqual(
    new Set([`${playground.url}/`]),
  );
  expectQuiet();
});

test("the wire and the code stand beside the talk, without the token", async () => {
  await openWithToken();
  await say("it's <b>me</b>");
  await finished("done", 1);

  await frames().getByText("data: [DONE]", { exact: true }).waitFor();
  expect(await read(frames())).toContain("200 OK text/event-stream");
  expect(await read(lastAnswer())).toContain("“it's <b>me</b>”");
  expect(await page.locator("article b").count()).toBe(0);
  const readings = page.locator(".readings");
  expect(await read(readings)).toMatch(/First token\s*\d+/);
  expect(await read(readings)).toMatch(/[1-9][\d.]*\s*pieces\/s/);

  const code = page.getByRole("tabpanel");
  expect(await read(code)).toContain(String.raw`"content": "it'\''s <b>me</b>"`);
  expect(await read(code)).toContain("Bearer $TOKEN");
  for (const name of ["openai", "@openclaw/client"]) {
    await page.getByRole("tab", { name, exact: true }).click();
    expect(await read(code)).toContain(`from "${name}"`);
    expect(await read(code)).toContain("YOUR_TOKEN");
  }
  expect(await read(page.locator("body"))).not.toContain(playground.token);
  expectQuiet();
});

test("an answer is seen while it is written; Escape stops it, and the gateway its run", async () => {
  await openWithToken();
  await page.getByLabel("Agent").selectOption("openclaw/counter");
  await say("Count to 2000");
  const lengths = new Set<number>();
  await expect.poll(async () => lengths.add((await read(words())).length).size).toBeGreaterThan(3);
  await page.keyboard.press("Escape");
  await finished("stopped", 1);
  expect(await read(words())).not.toContain("2000");
  const runId = /chatcmpl-\w+/.exec(await read(lastAnswer()))?.[0] ?? "no run id";
  await expect.poll(() => logLineOf(runId)).toBeDefined();
  expect(logLineOf(runId)).not.toMatchObject({ ended: "stop" });
  await frames().getByText('"cancelled":true').waitFor();
  expect(await read(frames())).toContain(`POST /v1/chat/completions/${runId}/cancel`);
  expectQuiet();
});

test("a plug that is pulled in the midst of an answer costs no word", async () => {
  await openWithToken();
  await page.getByLabel("Agent").selectOption("openclaw/counter");
  await say("Count to 70");
  await lastAnswer().getByText(" 9 10").waitFor();
  await page.getByRole("button", { name: "Pull the plug" }).click();
  await page.getByText("Unplugged.").waitFor();
  const before = await read(words());
  await frames().getByText("last-event-id: ").waitFor();
  expect(await read(words())).toBe(before);

  await page.getByRole("button", { name: "Plug in again" }).click();
  await finished("done", 1);
  expect(await read(words())).toBe(countTo(70));
  const had = before.split(" ").length;
  await lastAnswer().getByText("70 words, the same as the gateway kept: nothing lost, nothing doubled.").waitFor();
  expect(await read(lastAnswer())).toContain(`Cut after ${had} words, resumed`);
  expect(await read(lastAnswer())).toContain("in 1 try");
  expect(await answersOf(await lastSession())).toEqual([countTo(70)]);

  const [asked = "", again = ""] = await frames().locator(".sent .frame").allTextContents();
  expect(again.replace(/\nlast-event-id: .*/, "")).toBe(asked);
  // The event before the first word names the role.
  expect(again).toMatch(new RegExp(`last-event-id: chatcmpl-[0-9a-f]{32}:${had}$`));
  expect(chatRequests()).toBe(2);
  expectQuiet();
});

test("an answer that ended while the plug was pulled is there afterwards, after more than one try", async () => {
  await openWithToken();
  await page.getByLabel("Agent").selectOption("openclaw/counter");
  await say("Count to 80");
  await lastAnswer().getByText(" 9 10").waitFor();
  await page.getByRole("button", { name: "Pull the plug" }).click();
  await frames().getByText("no connection").waitFor();
  await lastAnswer().getByText("2 tries").waitFor();
  await expect.poll(async () => answersOf(await lastSession())).toEqual([countTo(80)]);
  await page.getByRole("button", { name: "Plug in again" }).click();
  await lastAnswer().getByText("80 words, the same as the gateway kept").waitFor();
  expect(await read(words())).toBe(countTo(80));
  expectQuiet();
});

test("stopping with the plug pulled plugs it in again, and ends the run", async () => {
  await openWithToken();
  await page.getByRole("button", { name: "let the counter count" }).click();
  await lastAnswer().getByText(" 9 10").waitFor();
  await page.getByRole("button", { name: "Pull the plug" }).click();
  await frames().getByText("last-event-id: ").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await finished("stopped", 1);
  await frames().getByText('"cancelled":true').waitFor();
  await say("Count to 3");
  await finished("done", 2);
  expect(await read(words())).toBe("1 2 3");
  expectQuiet();
});

test("a session is there afterwards, to go on with, to fork and to delete, and a reload stays in it", async () => {
  await openWithToken();
  await say("Remember the blue door.");
  await finished("done", 1);
  const first = await read(words());
  await expect.poll(async () => (await lastSession()).title).toBe("Remember the blue door.");

  await page.reload();
  await page.locator(".said").getByText("Remember the blue door.").waitFor();
  await page.getByRole("button", { name: "New talk" }).click();
  expect(page.url()).toBe(`${playground.url}/`);
  await kept().first().getByText("Remember the blue door.").click();
  await page.locator(".said").getByText("Remember the blue door.").waitFor();
  await finished("done", 1);
  expect(await read(words())).toBe(first);
  await say("And now?");
  await finished("done", 2);
  expect(await read(words())).toContain("Before that I heard one message");

  await page.getByRole("button", { name: "Fork from here" }).first().click();
  await page.getByText("A fork:").waitFor();
  expect(await page.getByRole("article").count()).toBe(1);
  expect(await read(words())).toBe(first);
  expect(await answersOf(await lastSession())).toEqual([first]);

  const before = (await sessions()).length;
  await page.getByRole("button", { name: "New talk" }).click();
  const fork = kept().first();
  await fork.getByRole("button", { name: "Delete" }).click();
  await fork.getByRole("button", { name: "Really delete" }).click();
  await expect.poll(async () => (await sessions()).length).toBe(before - 1);
  await kept().first().getByText("4 messages").waitFor();
  expectQuiet();
});

test("a wrong token gets advice, and the right one a talk", async () => {
  await page.goto(`${playground.url}/#token=wrong`);
  const problem = page.getByRole("alert");
  await problem.getByText("The gateway does not know this token").waitFor();
  expect(await read(problem)).toMatch(/401\s*invalid_api_key\s*req_\w+/);
  expect(page.url()).toBe(`${playground.url}/`);

  await page.getByLabel("Token").fill(playground.token);
  await page.keyboard.press("Enter");
  await say("Now?");
  await finished("done", 1);
  await page.reload();
  await say("Still?");
  await finished("done", 2);
  // The one thing Chromium itself has to say about a 401.
  expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
});

test("without a token the page asks for one, and what fails later says what to do", async () => {
  await page.goto(`${playground.url}/`);
  await page.getByRole("heading", { name: "This gateway wants a token." }).waitFor();
  await page.getByLabel("Token").fill(playground.token);
  await page.getByRole("button", { name: "Connect" }).click();
  await message().waitFor();

  await page.route("**/v1/chat/completions", (route) => route.abort("connectionrefused"));
  await say("Anybody there?");
  await finished("failed", 1);
  expect(await frames().getByText("no connection").count()).toBeGreaterThan(1);
  await page.unroute("**/v1/chat/completions");
  expect(await read(page.getByRole("alert"))).toContain("The gateway cannot be reached");
  await page.getByRole("button", { name: "Send again" }).click();
  await finished("done", 1);

  const cut = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "Half an ans" }, finish_reason: null }] })}\n\n`;
  const half = { status: 200, contentType: "text/event-stream; charset=utf-8", body: cut };
  await page.route("**/v1/chat/completions", (route) => route.fulfill(half), { times: 1 });
  await say("And now?");
  await finished("failed", 2);
  expect(await read(lastAnswer())).toMatch(/Half an ans.*The answer was cut off/s);
});

test("it fits a narrow screen", async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await openWithToken();
  await say("a".repeat(300));
  await finished("done", 1);
  for (const name of ["Wire", "Code", "Talk"]) {
    await page.getByRole("button", { name, exact: true }).click();
    const { x, width } = (await page.getByRole("region", { name, exact: true }).boundingBox()) ?? { x: -1, width: 0 };
    expect([x, width]).toEqual([0, 360]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
  }
  expectQuiet();
});

test("what it prints holds no token, as nobody reads it at a terminal, and it ends when asked to", async () => {
  const other = await startPlayground();
  expect(other.output()).toContain(`curl -N ${other.url}/v1/chat/completions -H "Authorization: Bearer $(cat `);
  expect(await other.stop()).toBe(0);
  expect(other.output()).not.toContain(other.token);
});

async function openWithToken(): Promise<void> {
  await openPlayground(page, playground);
  expect(page.url()).toBe(`${playground.url}/`);
}

const say = (text: string) => sayTo(page, text);

async function read(place: ReturnType<Page["locator"]>): Promise<string> {
  return (await place.textContent()) ?? "";
}

const message = () => messageField(page);

function lastAnswer() {
  return page.getByRole("article").last();
}

/** What it says, without what the page says of it. */
function words() {
  return lastAnswer().locator(".text");
}

function frames() {
  return page.getByLabel("Frames, as they came");
}

function kept() {
  return page.getByRole("region", { name: "Sessions" }).getByRole("listitem");
}

function countTo(end: number): string {
  return Array.from({ length: end }, (_, index) => index + 1).join(" ");
}

function chatRequests(): number {
  return requests.filter(({ url }) => url.endsWith("/v1/chat/completions")).length;
}

/** What the gateway says when the page is not asked. */
async function ask(path: string) {
  const headers = { authorization: `Bearer ${playground.token}` };
  const response = await fetch(`${playground.url}/v1/${path}`, { headers });
  return ((await response.json()) as { data: never }).data;
}

const sessions = (): Promise<{ id: string; title: string | null }[]> => ask("sessions?limit=100");

async function lastSession() {
  const [session] = await sessions();
  if (session === undefined) throw new Error("The gateway keeps no session.");
  return session;
}

async function answersOf({ id }: { id: string }): Promise<string[]> {
  const messages: { role: string; content: string }[] = await ask(`sessions/${encodeURIComponent(id)}/messages`);
  return messages.filter(({ role }) => role === "assistant").map(({ content }) => content);
}

async function finished(status: "done" | "stopped" | "failed", answers: number): Promise<void> {
  await page.locator(`li.answer:nth-child(${2 * answers}) article[data-status=${status}]`).waitFor();
}

/** Where the page said it was at each of its own requests. */
async function recordAddressOfEachFetch(): Promise<string[]> {
  const addresses: string[] = [];
  await page.exposeFunction("recordAddress", (address: string) => addresses.push(address));
  await page.addInitScript({
    content: `const { fetch } = window;
      window.fetch = (...all) => { window.recordAddress(location.href); return fetch(...all); };`,
  });
  return addresses;
}

function logLineOf(runId: string): object | undefined {
  const line = playground
    .output()
    .split("\n")
    .find((text) => text.startsWith("{") && text.includes(runId));
  return line === undefined ? undefined : JSON.parse(line);
}

/** Nothing was asked of anybody else, the token was in no address, and nobody complained. */
function expectQuiet(): void {
  expect(requests.filter(({ url }) => !url.startsWith(`${playground.url}/`))).toEqual([]);
  // The first is the page's own, typed in; its fragment never leaves the browser.
  expect(requests.slice(1).filter((request) => JSON.stringify(request).includes(playground.token))).toEqual([]);
  expect(complaints).toEqual([]);
}
