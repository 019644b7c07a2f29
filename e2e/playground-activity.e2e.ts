import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Browser, launchChromium, type Page } from "../apps/playground/e2e/launch-chromium.ts";
import { type RunningPlayground, startPlayground } from "../apps/playground/e2e/start-playground.ts";
import { openPlayground, sayTo } from "../apps/playground/e2e/visit.ts";
import { holdAnswers } from "./support/hold-answers.ts";

let playground: RunningPlayground;
let browser: Browser;
let page: Page;
let hearUntil: Awaited<ReturnType<typeof holdAnswers>>;
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
  complaints = [];
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on("pageerror", (error) => complaints.push(String(error)));
  hearUntil = await holdAnswers(page);
  await openPlayground(page, playground);
  await page.getByLabel("Agent").selectOption("openclaw/workshop");
});
afterEach(async () => {
  await page?.close();
  expect(complaints).toEqual([]);
});

const SUM = "How late is it, and what is 12 * 7?";
/** What the workshop does with one. */
const WORK = ["thought", "read_clock", "count_words", "thought", "words", "calculate", "words"];

test("an agent is seen thinking and at work while it is, and its answer stands out afterwards", async () => {
  const asked = page.waitForRequest("**/v1/chat/completions");
  await hearUntil("count_words");
  await sayTo(page, SUM);
  expect((await asked).headers()["x-openclaw-events"]).toBe("1");
  await running().locator("details.thought[open]").getByText("I can read the clock").waitFor();
  await running().locator("[data-state=running]").getByText("read_clock").waitFor();
  await running().locator("[data-state=running]").getByText("count_words").waitFor();
  await page.locator("[aria-live=polite]").getByText("Using count_words").waitFor({ state: "attached" });
  // Open until there is an answer to read.
  await hearUntil('"tool-end"');
  await page.locator("article[data-status=running]:has(.thought[open]):has(.tool[data-state=ok])").waitFor();
  await hearUntil('"content":" is"');
  await running().locator(".text", { hasText: "It is" }).waitFor();
  await expect.poll(() => running().locator("details.thought:not([open])").count()).toBe(2);

  await hearUntil();
  await ended("done");
  expect(await parts()).toEqual(WORK);
  const [first = "", second = ""] = await answer().locator(".thought summary").allTextContents();
  expect(first).toMatch(/^Thought for [\d.]+ m?s, 17 words$/);
  expect(second).toMatch(/^Thought for [\d.]+ m?s, 11 words$/);
  expect(await tool("calculate").textContent()).toMatch(/ok, [\d.]+ m?s/);
  expect(await answer().locator(".text").last().textContent()).toBe("12 * 7 is 84.");

  await answer().locator(".thought summary").first().focus();
  await page.keyboard.press("Enter");
  await answer().getByText("I can read the clock").waitFor();
  await tool("calculate").locator("summary").click();
  await tool("calculate").getByText("84", { exact: true }).waitFor();
  await tool("calculate").getByText('{"left":"12","operator":"*","right":"7"}').waitFor();

  const rows = await page.locator(".rows .frame > span").allTextContents();
  const said = rows.filter((text) => text.startsWith('"openclaw":')).map((text) => JSON.parse(`{${text}`).openclaw);
  expect(said.map(({ type, name, ok }) => name ?? `${type} ${ok}`)).toEqual([
    "read_clock",
    "count_words",
    "tool-end true",
    "tool-end true",
    "calculate",
    "tool-end true",
  ]);
});

test("a tool that fails says so, and a session shows again what was done", async () => {
  await sayTo(page, "What is 1 / 0?");
  await ended("done");
  expect(await tool("calculate").getAttribute("data-state")).toBe("failed");
  expect(await tool("calculate").textContent()).toContain("failed, ");
  const words = await answer().locator(".text").allTextContents();
  await expect.poll(async () => (await lastSession())?.title).toBe("What is 1 / 0?");

  await page.getByRole("button", { name: "New talk" }).click();
  const kept = page.getByRole("region", { name: "Sessions" }).getByRole("listitem").first();
  await kept.getByText("What is 1 / 0?").click();
  await ended("done");
  // What was thought is not kept.
  expect(await parts()).toEqual(WORK.filter((part) => part !== "thought"));
  expect(await answer().locator(".text").allTextContents()).toEqual(words);
  expect(await tool("count_words").textContent()).toContain("5");
  const calculate = tool("calculate");
  await calculate.getByText("Error: Nothing can be divided by zero.").first().waitFor();
  expect(await calculate.getByRole("definition").count()).toBe(0);
  await calculate.locator("summary").press("Enter");
  expect(await calculate.getByRole("definition").allTextContents()).toEqual([
    '{"left":"1","operator":"/","right":"0"}',
    "Error: Nothing can be divided by zero.",
  ]);

  await sayTo(page, "Go on.");
  await page.locator("li.answer").nth(1).locator("article[data-status=done]").waitFor();
});

test("what is under way when an answer is stopped has stopped", async () => {
  await hearUntil('"tool-end"');
  await sayTo(page, SUM);
  await running().locator("[data-state=ok]").getByText("read_clock").waitFor();
  await page.keyboard.press("Escape");
  await ended("stopped");
  expect(await parts()).toEqual(["thought", "read_clock", "count_words"]);
  expect(await tool("read_clock").getAttribute("data-state")).toBe("ok");
  expect(await tool("count_words").textContent()).toBe("count_words stopped");
  expect(await answer().locator("[data-state=running]").count()).toBe(0);
});

test("a plug that is pulled while tools run doubles none of them", async () => {
  await hearUntil("count_words");
  await sayTo(page, SUM);
  await running().locator("[data-state=running]").getByText("count_words").waitFor();
  await page.getByRole("button", { name: "Pull the plug" }).click();
  await page.locator(".frames").getByText("last-event-id: ").waitFor();
  await expect.poll(async () => (await lastSession())?.active_run, { timeout: 15_000 }).toBeNull();
  const isBack = page.waitForEvent("requestfinished", (request) => request.url().endsWith("/v1/chat/completions"));
  await page.getByRole("button", { name: "Plug in again" }).click();
  await isBack;
  await hearUntil();
  await ended("done");
  await answer().getByText("the same as the gateway kept").waitFor();
  expect(await parts()).toEqual(WORK);
  expect(await answer().locator("[data-state=ok]").count()).toBe(3);
  // Nobody watched it, so nobody knows how long it took.
  expect(await tool("calculate").locator(".how").textContent()).toBe("ok");
});

test("whatever order things come in, they stand in it", async () => {
  const delta = (delta: object) => ({ choices: [{ index: 0, delta, finish_reason: null }] });
  const act = (type: string, id: string, more: object) => ({ ...delta({}), openclaw: { type, id, ...more } });
  const name = `look_up_${"x".repeat(56)}`;
  const call = { index: 0, id: "c", type: "function", function: { name: "ask_caller", arguments: "" } };
  const body = [
    delta({ content: "\n\n" }),
    delta({ reasoning: "First" }),
    act("tool-start", "1", { name }),
    act("tool-start", "2", { name: "search" }),
    act("tool-end", "2", { ok: false }),
    act("tool-end", "nobody", { ok: true }),
    delta({ reasoning: "Then", content: "" }),
    act("tool-start", "2", { name: "again" }),
    act("tool-end", "2", { ok: true }),
    delta({ content: "Half" }),
    delta({ content: " of it\n\n" }),
    delta({ tool_calls: [call] }),
    delta({ tool_calls: [{ index: 0, function: { arguments: "{}" } }] }),
    { error: { message: "It broke.", type: "api_error", param: null, code: "internal_error" } },
  ];
  const stream = `${body.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join("")}data: [DONE]\n\n`;
  await page.setViewportSize({ width: 390, height: 800 });
  await page.route("**/v1/chat/completions", (route) =>
    route.fulfill({ status: 200, contentType: "text/event-stream; charset=utf-8", body: stream }),
  );
  await sayTo(page, "<b>Go</b>");
  await ended("failed");
  expect(await parts()).toEqual(["thought", name, "search", "thought", "again", "words", "ask_caller"]);
  const states = await answer()
    .locator(".tool")
    .evaluateAll((tools) => tools.map((tool) => (tool as unknown as { dataset: { state: string } }).dataset.state));
  expect(states).toEqual(["stopped", "failed", "ok", "asked"]);
  expect(await answer().locator(".text").textContent()).toBe("Half of it");
  expect(await page.evaluate("document.querySelector('[role=log]').scrollWidth")).toBe(390);
});

function answer() {
  return page.getByRole("article").last();
}

function running() {
  return page.locator("article[data-status=running]");
}

function tool(name: string) {
  return answer().locator(".tool").filter({ hasText: name });
}

async function ended(status: "done" | "stopped" | "failed"): Promise<void> {
  await page.locator(`article[data-status=${status}]`).waitFor();
}

/** What the answer is made of, from top to bottom. */
async function parts(): Promise<string[]> {
  const all = await answer().locator(".text, .thought, .tool").all();
  return Promise.all(
    all.map(async (part) => {
      const kind = (await part.getAttribute("class")) ?? "";
      if (kind.includes("tool")) return (await part.locator("code").first().textContent()) ?? "";
      return kind.includes("thought") ? "thought" : "words";
    }),
  );
}

/** By the gateway's own word. */
async function lastSession(): Promise<{ title: string | null; active_run: string | null } | undefined> {
  const headers = { authorization: `Bearer ${playground.token}` };
  const response = await fetch(`${playground.url}/v1/sessions?limit=1`, { headers });
  return ((await response.json()) as { data: never[] }).data[0];
}
