import { join } from "node:path";
import { parseArgs } from "node:util";
import { launchChromium } from "../e2e/launch-chromium.ts";
import { startPlayground } from "../e2e/start-playground.ts";

// The picture of the docs, after one exchange. Other sizes and looks by flags.
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
  const context = await launchChromium({
    viewport: { width: Number(values.width), height: Number(values.height) },
    colorScheme: values.dark ? "dark" : "light",
  });
  const [page = await context.newPage()] = context.pages();
  await page.goto(`${playground.url}/#token=${playground.token}`);
  await page.getByLabel("Message", { exact: true }).fill("Hello, who is there?");
  await page.keyboard.press("Enter");
  await page.locator("article[data-status=done]").waitFor();
  if (values.view !== undefined) await page.getByRole("button", { name: values.view }).click();
  await page.screenshot({ path: values.out, animations: "disabled", caret: "hide" });
  await context.close();
} finally {
  await playground.stop();
}
