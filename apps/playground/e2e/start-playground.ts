import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RunningPlayground {
  readonly url: string;
  readonly token: string;
  /** What it wrote so far, to both of its outputs. */
  output(): string;
  /** Sends SIGTERM and waits. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

const START_TIMEOUT_MS = 50_000;

/** The playground as `pnpm start` runs it, on a free port and with a state folder of its own. */
export async function startPlayground(config: object = {}): Promise<RunningPlayground> {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-playground-"));
  await writeFile(join(stateDir, "openclaw.json"), JSON.stringify(config));
  const { OPENCLAW_CONFIG_PATH, OPENCLAW_GATEWAY_TOKEN, OPENCLAW_GATEWAY_PASSWORD, ...env } = process.env;
  const child = spawn(process.execPath, ["server.ts"], {
    cwd: join(import.meta.dirname, ".."),
    env: { ...env, OPENCLAW_STATE_DIR: stateDir, OPENCLAW_GATEWAY_PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  try {
    const url = await waitForUrl(child, () => output);
    const token = (await readFile(join(stateDir, "gateway-token"), "utf8")).trim();
    return { url, token, output: () => output, stop: () => stop(child, stateDir) };
  } catch (error) {
    await stop(child, stateDir);
    throw error;
  }
}

async function waitForUrl(child: ChildProcess, output: () => string): Promise<string> {
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  while (child.exitCode === null && !signal.aborted) {
    const url = /^Playground: (http:\S+?)\/?$/m.exec(output())?.[1];
    if (url !== undefined) return url;
    await Promise.race([once(child.stdout ?? child, "data"), once(child, "exit"), once(signal, "abort")]);
  }
  throw new Error(`The playground did not start:\n${output()}`);
}

async function stop(child: ChildProcess, stateDir: string): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await rm(stateDir, { recursive: true, force: true });
  return child.exitCode;
}
