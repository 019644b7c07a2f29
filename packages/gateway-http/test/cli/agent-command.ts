import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { runAgent } from "../../src/cli/agent.ts";
import type { Options } from "../../src/cli/options.ts";
import { readEnvironment } from "../../src/config/env.ts";
// Loaded by the command when it needs them: what that takes is no test's own time.
import "../../src/cli/run-in-gateway.ts";
import "../../src/cli/run-in-process.ts";
import { TOKEN } from "../support/start-gateway.ts";

export interface AgentRun extends Omit<Options, "port"> {
  port: number;
  /** Of the config file. */
  settings?: object;
  /** `null`: none. @defaultValue that of a started gateway */
  gatewayToken?: string | null;
  /** The state folder; without it, an empty one. */
  stateDir?: string;
  connectMs?: number;
  comeBackMs?: readonly number[];
  clearMs?: number;
}

export interface AgentProcess {
  /** What it printed so far. */
  readonly out: string;
  readonly notices: string;
  /** As a signal does. */
  stop(exitCode: number): void;
  /** Settles once the output has this. */
  printed(text: string): Promise<void>;
  exited: Promise<{ code: number; out: string; notices: string }>;
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openclaw-agent-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `openclaw-gateway agent -m hi`, as whoever has this environment runs it. */
export async function startAgent(run: AgentRun): Promise<AgentProcess> {
  const {
    port,
    settings = {},
    gatewayToken = TOKEN,
    stateDir,
    connectMs = 60_000,
    comeBackMs = [1, 1],
    clearMs = 60_000,
    ...options
  } = run;
  const folder = stateDir ?? (await emptyFolder());
  const configPath = join(await emptyFolder(), "openclaw.json");
  await writeFile(configPath, JSON.stringify(settings));
  const env = readEnvironment({
    HOME: folder,
    OPENCLAW_STATE_DIR: folder,
    OPENCLAW_GATEWAY_PORT: String(port),
    OPENCLAW_CONFIG_PATH: configPath,
    ...(gatewayToken !== null && { OPENCLAW_GATEWAY_TOKEN: gatewayToken }),
  });
  const { promise: stopped, resolve: stop } = Promise.withResolvers<number>();
  const said = { out: "", notices: "" };
  const looks = new Set<() => void>();
  const output = (name: keyof typeof said) => ({
    write(text: string) {
      said[name] += text;
      for (const look of looks) look();
    },
  });
  const exited = runAgent({
    options: { message: "hi", ...options },
    env,
    stdout: output("out"),
    stderr: output("notices"),
    stopped,
    connectMs,
    comeBackMs,
    clearMs,
  }).then((code) => {
    expect(said.out + said.notices).not.toContain(TOKEN);
    return { code, ...said };
  });
  exited.catch(() => {});
  return {
    get out() {
      return said.out;
    },
    get notices() {
      return said.notices;
    },
    stop,
    exited,
    printed: (text) =>
      new Promise((resolve) => {
        const look = () => {
          if (!(said.out + said.notices).includes(text)) return;
          looks.delete(look);
          resolve();
        };
        looks.add(look);
        look();
      }),
  };
}

export async function agent(run: AgentRun): Promise<{ code: number; out: string; notices: string }> {
  return (await startAgent(run)).exited;
}
