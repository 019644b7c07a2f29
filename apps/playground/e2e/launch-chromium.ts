import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

export type { Page } from "playwright-core";

export interface ChromiumOptions {
  viewport: { width: number; height: number };
  colorScheme?: "light" | "dark";
}

/** A Chromium that talks to nobody by itself, with a profile of its own. Throws where there is none. */
export async function launchChromium(options: ChromiumOptions): Promise<BrowserContext> {
  const profile = await mkdtemp(join(tmpdir(), "openclaw-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM_PATH || "/usr/bin/chromium",
    headless: true,
    chromiumSandbox: false,
    args: [
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    deviceScaleFactor: 1,
    ...options,
  });
  context.once("close", () => void rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  return context;
}
