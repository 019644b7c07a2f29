import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { readEnvironment } from "../../src/config/env.ts";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { watchConfig } from "../../src/config/watch.ts";

const SOON = { timeout: 20_000, interval: 10 };
const withMaxQueued = (maxQueued: number) => `{ sessions: { maxQueued: ${maxQueued} } }`;
const maxQueuedOf = ({ config }: LoadedConfig) => config.sessions.maxQueued;

async function makeFolder() {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-watch-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** As one step: whoever looks sees the one text or the other. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

interface Started {
  /** Of every config that was put in force. */
  applied: number[];
  /** What was told, in order: reasons, and `mended`. */
  told: string[];
  stop(): void;
  /** Waits until this is what is in force. */
  until(maxQueued: number): Promise<void>;
}

/** Watches a file, or the default place in a folder; `before` it does, and after it was read. */
async function start(
  { path, folder = "", before }: { path?: string; folder?: string; before?: () => Promise<void> },
  apply: (loaded: LoadedConfig) => Promise<void> = async () => {},
): Promise<Started> {
  const env = readEnvironment({ HOME: folder, OPENCLAW_STATE_DIR: folder });
  const applied: number[] = [];
  const told: string[] = [];
  const loaded = await loadConfig({ path, env });
  await before?.();
  const stop = watchConfig({
    loaded,
    intervalMs: 5,
    async apply(loaded) {
      await apply(loaded);
      applied.push(maxQueuedOf(loaded));
    },
    onBroken: (error) => void told.push((error as Error).message),
    onMended: () => void told.push("mended"),
  });
  onTestFinished(stop);
  return { applied, told, stop, until: (value) => vi.waitFor(() => expect(applied.at(-1)).toBe(value), SOON) };
}

async function startWithFile(apply?: (loaded: LoadedConfig) => Promise<void>) {
  const path = join(await makeFolder(), "openclaw.json");
  await writeFile(path, withMaxQueued(1));
  return { path, ...(await start({ path }, apply)) };
}

test("a file that is written is followed", async () => {
  const { path, until, applied } = await startWithFile();
  await writeFile(path, withMaxQueued(2));
  await until(2);
  await writeFile(path, withMaxQueued(3));
  await until(3);
  expect(applied).toEqual([2, 3]);
});

test("a file that another is renamed over is followed, also one of the same size and time", async () => {
  const { path, until, applied } = await startWithFile();
  for (const value of [2, 3, 4]) {
    await writeFile(`${path}.new`, withMaxQueued(value));
    await utimes(`${path}.new`, 1_700_000_000, 1_700_000_000);
    await rename(`${path}.new`, path);
    await until(value);
  }
  expect(applied).toEqual([2, 3, 4]);
});

test("a file behind a link that moves is followed, as Kubernetes mounts a ConfigMap", async () => {
  const folder = await makeFolder();
  const put = async (value: number) => {
    const data = `..${value}`;
    await mkdir(join(folder, data));
    await writeFile(join(folder, data, "openclaw.json"), withMaxQueued(value));
    await symlink(data, join(folder, "..tmp"));
    await rename(join(folder, "..tmp"), join(folder, "..data"));
  };
  await put(1);
  const path = join(folder, "openclaw.json");
  await symlink(join("..data", "openclaw.json"), path);
  const { until, told } = await start({ path });
  await put(2);
  await until(2);
  await put(3);
  await rm(join(folder, "..2"), { recursive: true });
  await until(3);
  expect(told).toEqual([]);
});

test("of fifty quick changes the last is in force in the end, and never two at a time", async () => {
  let busy = 0;
  let most = 0;
  const { path, until, applied } = await startWithFile(async () => {
    most = Math.max(most, ++busy);
    await new Promise((resolve) => setImmediate(resolve));
    busy--;
  });
  for (let value = 100; value < 150; value++) await put(path, withMaxQueued(value));
  await until(149);
  expect(most).toBe(1);
  expect(applied).toEqual([...applied].sort((a, b) => a - b));
});

test("a touch changes nothing, nor do a comment or another way to say the same", async () => {
  const { path, applied, told, until } = await startWithFile();
  await utimes(path, new Date(), new Date());
  await put(path, `// a comment\n{ "sessions": { "maxQueued": 1, }, agents: {} }`);
  await put(path, withMaxQueued(2));
  await until(2);
  expect(applied).toEqual([2]);
  expect(told).toEqual([]);
});

const BROKEN: [string, string, string][] = [
  ["half of a file", "{ sessions: { maxQ", "openclaw.json:1:"],
  ["nothing", "", "openclaw.json"],
  ["an unknown key", "{ sesions: {} }", "did you mean sessions?"],
  ["a variable that is not set", `{ gateway: { auth: { token: '\${NO_SUCH_VARIABLE}' } } }`, "NO_SUCH_VARIABLE"],
  ["a key without its token", "{ gateway: { auth: { keys: [{ id: 'bob' }] } } }", "needs a tokenHash"],
];

test.each(BROKEN)("%s is told once and changes nothing, until it is mended", async (_what, text, reason) => {
  const { path, applied, told, until } = await startWithFile();
  await put(path, text);
  await vi.waitFor(() => expect(told).toHaveLength(1), SOON);
  expect(told[0]).toContain(reason);
  // Broken in the same way by another text.
  await put(path, `${text}\n`);
  await put(path, withMaxQueued(1));
  await vi.waitFor(() => expect(told.at(-1)).toBe("mended"), SOON);
  expect(told.filter((line) => line.includes(reason))).toHaveLength(1);
  expect(applied).toEqual([]);
  await put(path, withMaxQueued(2));
  await until(2);
});

test("a file that is deleted, or becomes a folder, changes nothing until it is there again", async () => {
  const { path, applied, told, until } = await startWithFile();
  await rm(path);
  await vi.waitFor(() => expect(told).toEqual([`${path}: there is no such config file`]), SOON);
  await mkdir(path);
  await vi.waitFor(() => expect(told.at(-1)).toBe(`${path}: this is a folder, not a config file`), SOON);
  await rm(path, { recursive: true });
  await put(path, withMaxQueued(2));
  await until(2);
  expect(applied).toEqual([2]);
});

test("a file that comes to be at the default place is followed, and may not go again", async () => {
  const folder = await makeFolder();
  const { until, told } = await start({ folder });
  const path = join(folder, "openclaw.json");
  await put(path, withMaxQueued(2));
  await until(2);
  await rm(path);
  await vi.waitFor(() => expect(told).toEqual([`${path}: there is no such config file`]), SOON);
});

test("what cannot be put in force is tried again when the file changes, and told when the reason is another", async () => {
  let reason = "no key";
  const { path, told, until } = await startWithFile(async (loaded) => {
    if (maxQueuedOf(loaded) < 5) throw new Error(reason);
  });
  await put(path, withMaxQueued(2));
  await vi.waitFor(() => expect(told).toEqual(["no key"]), SOON);
  reason = "no model";
  await put(path, withMaxQueued(3));
  await vi.waitFor(() => expect(told).toEqual(["no key", "no model"]), SOON);
  await put(path, withMaxQueued(5));
  await until(5);
});

test("a change between loading and watching is not missed", async () => {
  const path = join(await makeFolder(), "openclaw.json");
  await put(path, withMaxQueued(1));
  const loaded = await loadConfig({ path, env: readEnvironment({ HOME: "/" }) });
  await put(path, withMaxQueued(2));
  const changed = new Promise<LoadedConfig>((resolve) => {
    onTestFinished(
      watchConfig({ loaded, apply: async (next) => resolve(next), onBroken: () => {}, onMended: () => {} }),
    );
  });
  expect(maxQueuedOf(await changed)).toBe(2);
});

test("once it is stopped nothing is followed", async () => {
  const { path, applied, told, stop, until } = await startWithFile();
  const other = await start({ path });
  await put(path, withMaxQueued(2));
  await until(2);
  stop();
  await put(path, withMaxQueued(3));
  await other.until(3);
  expect({ applied, told }).toEqual({ applied: [2], told: [] });
});

test("a pipe in the file's place is told, and not waited for", async () => {
  const folder = await makeFolder();
  const path = join(folder, "openclaw.json");
  const putPipe = async () => {
    await promisify(execFile)("mkfifo", [`${path}.pipe`]);
    await rename(`${path}.pipe`, path);
  };
  // First at the default place, where no file was.
  const { told, until } = await start({ folder, before: putPipe });
  await vi.waitFor(() => expect(told).toHaveLength(1), SOON);
  await put(path, withMaxQueued(2));
  await until(2);
  await putPipe();
  await vi.waitFor(() => expect(told).toHaveLength(2), SOON);
  await put(path, withMaxQueued(3));
  await until(3);
  expect(told).toEqual([`${path}: this is not a file`, `${path}: this is not a file`]);
});
