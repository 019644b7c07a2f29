import { join } from "node:path";
import { parseArgs } from "node:util";
import { launchChromium } from "../e2e/launch-chromium.ts";
import { startPlayground } from "../e2e/start-playground.ts";
import { openPlayground, sayTo } from "../e2e/visit.ts";

// The picture of the docs: an agent at work, then an answer that was cut and resumed. Other sizes and looks by flags.
const { values } = parseArgs({
  options: {
    out: { type: "string", default: join(import.meta.dirname, "../../../docs/playground.png") },
    width: { type: "string", default: "1280" },
    height: { type: "string", default: "800" },
    dark: { type: "boolean", default: false },
    view: { type: "string" },
  },
});

const playground = await startPlayground();
try {
  const browser = await launchChromium();
  const page = await browser.newPage({
    viewport: { width: Number(values.width), height: Number(values.height) },
    deviceScaleFactor: 1,
    colorScheme: values.dark ? "dark" : "light",
  });
  await openPlayground(page, playground);
  await page.getByLabel("Agent").selectOption("openclaw/workshop");
  await sayTo(page, "How late is it, and what is 12 * 7?");
  await page.locator("article[data-status=done]").waitFor();
  await page.getByLabel("Agent").selectOption("openclaw/counter");
  await sayTo(page, "Count to 50, please.");
  await page.getByText(" 42 43").waitFor();
  await page.getByRole("button", { name: "Pull the plug" }).click();
  await page.getByText("last-event-id: ").waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Plug in again" }).click();
  await page.getByText("nothing doubled").waitFor();
  if (values.view !== undefined) await page.getByRole("button", { name: values.view }).click();
  await page.screenshot({ path: values.out, animations: "disabled", caret: "hide" });
  await browser.close();
} finally {
  await playground.stop();
}
