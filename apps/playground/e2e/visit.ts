import type { Page } from "./launch-chromium.ts";
import type { RunningPlayground } from "./start-playground.ts";

/** Opens the address that a person finds printed. */
export async function openPlayground(page: Page, { url, token }: RunningPlayground): Promise<void> {
  await page.goto(`${url}/#token=${token}`);
  await messageField(page).waitFor();
}

export async function sayTo(page: Page, text: string): Promise<void> {
  await messageField(page).fill(text);
  await page.keyboard.press("Enter");
}

export function messageField(page: Page) {
  return page.getByLabel("Message", { exact: true });
}
