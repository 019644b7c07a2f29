import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextLoop } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { readEnvironment } from "../../src/config/env.ts";
import { loadConfig } from "../../src/config/load.ts";
import { watchConfig } from "../../src/config/watch.ts";

test("a file that is broken as before, after another break, is not read for ever", async () => {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-watch-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "openclaw.json");
  const put = async (text: string) => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  await put("{}");
  const env = readEnvironment({ HOME: "/" });
  let reads = 0;
  const told: string[] = [];
  const counting = Object.defineProperty({ ...env }, "variables", {
    get() {
      reads++;
      return env.variables;
    },
  });
  const loaded = { ...(await loadConfig({ path, env })), env: counting };
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const onBroken = (error: unknown) => void told.push((error as Error).message);
  onTestFinished(
    watchConfig({ loaded, intervalMs: 250, apply: async () => {}, onBroken, onMended: () => void told.push("mended") }),
  );
  /** Once the look under way is over its timer is set. */
  const over = async () => {
    while (vi.getTimerCount() === 0) await nextLoop();
  };
  const look = async (times = 1) => {
    for (let time = 0; time < times; time++) {
      await over();
      vi.advanceTimersByTime(250);
      await over();
    }
  };
  await put("{ agents: 5 }");
  await look(4);
  await put("{ sessions: 5 }");
  await look();
  await put("{ agents: 5 }");
  // Until it has settled.
  await look(12);
  const before = reads;
  await look(20);
  expect(told).toEqual([expect.stringContaining("agents")]);
  expect(reads).toBe(before);
});
