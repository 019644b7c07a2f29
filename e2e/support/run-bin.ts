import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";

/** The command line as it is built. */
const BIN = join(import.meta.dirname, "../../packages/gateway-http/dist/cli.js");

/** The Node that runs the tests first: what is started by name is to run on it too. */
export const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`;

export interface Running {
  child: ChildProcess;
  /** Standard output and error, as they come in. */
  output(): { stdout: string; stderr: string };
  /** Settles with the match once standard output has it; rejects when the process ends without. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

export interface RunOptions {
  /** Environment variables beside `PATH`; nothing else of the real ones gets through. */
  env?: Record<string, string>;
  cwd?: string;
}

/** Starts a program that is killed with its children when the test ends. */
export function start(command: string, args: string[], { env, cwd }: RunOptions = {}): Running {
  const child = spawn(command, args, {
    env: { PATH, ...env },
    cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
    for (const listen of listeners) listen();
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  let isGone = false;
  const exited = new Promise<Awaited<Running["exited"]>>((resolve) => {
    child.once("close", (code, signal) => {
      isGone = true;
      resolve({ code, signal, stdout, stderr });
    });
  });
  onTestFinished(() => {
    // After hundreds of processes its number may be another's by now.
    if (isGone) return;
    try {
      process.kill(-(child.pid as number), "SIGKILL");
    } catch {
      // It is gone already.
    }
  });
  return {
    child,
    exited,
    output: () => ({ stdout, stderr }),
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout);
          if (match) resolve(match);
        };
        listeners.add(look);
        look();
        void exited.then(() => reject(new Error(`ended without printing ${pattern}:\n${stdout}\n${stderr}`)));
      }),
  };
}

/** An empty state folder, removed when the test ends. */
export async function makeStateDir(name = "openclaw-e2e-"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), name));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Values that may stand in no output, whatever happens. */
export const SECRETS = {
  token: "e2e-token-0123456789abcdef",
  password: "e2e-password-0123456789",
  providerKey: "sk-e2e-provider-0123456789",
};

/** Starts the built command line with this state folder. */
export function startBin(stateDir: string, args: string[], { env, cwd }: RunOptions = {}): Running {
  return start(process.execPath, [BIN, ...args], {
    env: { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, ...env },
    ...(cwd !== undefined && { cwd }),
  });
}

/** Runs the built command line to its end. */
export async function runBin(stateDir: string, args: string[], options: RunOptions = {}) {
  const running = startBin(stateDir, args, options);
  const result = await running.exited;
  expectNoSecrets(stateDir, running);
  return result;
}

function expectNoSecrets(stateDir: string, { output }: Pick<Running, "output">): void {
  const tokenFile = join(stateDir, "gateway-token");
  const made = existsSync(tokenFile) ? [readFileSync(tokenFile, "utf8").trim()] : [];
  const { stdout, stderr } = output();
  for (const secret of [...made, ...Object.values(SECRETS)]) {
    expect(stdout + stderr, "a secret was printed").not.toContain(secret);
  }
}

export interface Served extends Running {
  url: string;
  port: number;
  stateDir: string;
}

/** Starts `run` on any free port and waits until it listens. */
export async function serve(args: string[], options: RunOptions & { stateDir?: string } = {}): Promise<Served> {
  const stateDir = options.stateDir ?? (await makeStateDir());
  const running = startBin(stateDir, ["run", "--port", "0", ...args], options);
  const [, url = ""] = await running.printed(/OpenClaw Gateway on (http:\S+)\n[\s\S]*\n\n$/);
  onTestFinished(() => expectNoSecrets(stateDir, running));
  return { ...running, url, port: Number(new URL(url).port), stateDir };
}

/** Runs a line in bash, as a person would paste it. */
export function bash(line: string, options: RunOptions = {}): Running {
  return start("bash", ["-c", line], options);
}

/** The texts of the content deltas in a streamed answer. */
export function textOf(stream: string): string {
  return [...stream.matchAll(/^data: (\{.*)$/gm)]
    .map(([, json = ""]) => JSON.parse(json).choices?.[0]?.delta?.content ?? "")
    .join("");
}
