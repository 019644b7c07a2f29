import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const PACKAGE = join(import.meta.dirname, "../..");
/** Makes a line of 1.5 KB. */
const LONG_HEADERS = Object.fromEntries(
  [
    "accept",
    "user-agent",
    "x-openclaw-agent-id",
    "x-openclaw-events",
    "x-stainless-lang",
    "x-stainless-retry-count",
  ].map((name) => [name, "x".repeat(200)]),
);
/** As many lines are more than a pipe and the backlog hold together. */
const LOTS = 1000;

interface Served {
  child: ChildProcess;
  /** Standard error is a pipe that nobody reads, until somebody does. */
  stderr: NonNullable<ChildProcess["stderr"]>;
  url: string;
  exited: Promise<unknown[]>;
}

async function serve(format: "json" | "pretty", level = "debug"): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-log-"));
  const config = join(folder, "openclaw.json");
  await writeFile(config, JSON.stringify({ gateway: { auth: { mode: "none" } }, logging: { level, format } }));
  const child = spawn(
    process.execPath,
    ["--conditions=@openclaw/source", "src/cli.ts", "run", "--port", "0", "--enable-chat", "--config", config],
    {
      cwd: PACKAGE,
      env: { HOME: folder, OPENCLAW_STATE_DIR: folder, PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  const { stdout, stderr } = child;
  let text = "";
  const url = await new Promise<string>((resolve, reject) => {
    stdout?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? [];
      if (found) resolve(found);
    });
    void exited.then(() => reject(new Error(`it ended: ${text}`)));
  });
  return { child, stderr, url, exited };
}

async function askOften(url: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 100) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => fetch(`${url}/health`, { headers: LONG_HEADERS })),
    );
    for (const answer of answers) expect(answer.status).toBe(200);
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  }
}

test.each(["json", "pretty"] as const)(
  "a log that nobody reads costs lines, not answers, and ends: %s",
  async (format) => {
    const { child, stderr, url, exited } = await serve(format);
    await askOften(url, LOTS);
    let text = "";
    stderr.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
    await expect.poll(() => text, { timeout: 20_000 }).toContain("lines of the log were lost");
    stderr.pause();
    await askOften(url, 300);
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  },
  60_000,
);

test("the last lines arrive before the end, however much waits for a reader that is slow", async () => {
  const { child, stderr, url, exited } = await serve("json");
  await askOften(url, 300);
  await fetch(`${url}/the-last`);
  child.kill("SIGTERM");
  let text = "";
  for await (const more of stderr.setEncoding("utf8")) text += more;
  expect(await exited).toEqual([0, null]);
  const paths = text
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { path?: string }).path);
  expect(paths.filter((path) => path === "/health")).toHaveLength(300);
  expect(paths).toContain("/the-last");
}, 60_000);

test("a reader that went away costs lines, not answers", async () => {
  const { child, stderr, url, exited } = await serve("json");
  stderr.destroy();
  await askOften(url, 100);
  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
}, 60_000);
