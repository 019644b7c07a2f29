import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFreePort, untilReady } from "../proc.ts";
import { LogBook } from "./log-book.ts";
import type { Reading } from "./probe.ts";

export type SoakedGateway = {
  port: number;
  pid: number;
  log: LogBook;
  readonly death: string | null;
  read(collect: boolean): Promise<Reading>;
  /** Asks it to stop as a supervisor does. Resolves to its exit code, `null` when it had to be killed. */
  stop(): Promise<number | null>;
};

export const TOKEN = "soak-operator-token-0123456789";
const PROBE = fileURLToPath(new URL("./probe.ts", import.meta.url));
const STOP_MS = 45_000;
/** Of a gateway that is gone. */
const NO_READING: Reading = {
  ...{ heap: Number.NaN, external: Number.NaN, rss: Number.NaN, native: Number.NaN },
  handles: {},
};

/** Starts the built gateway on its own state folder; folder and process are gone when the soak is. */
export async function startGateway(cli: string, configure: (folder: string) => string): Promise<SoakedGateway> {
  const folder = mkdtempSync(join(tmpdir(), "gateway-soak-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const config = configure(folder);
  const port = await findFreePort();
  const args = ["--expose-gc", "--import", PROBE, cli, "run", "--config", config, "--port", String(port)];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_STATE_DIR: join(folder, "state") },
  });
  process.on("exit", () => child.kill("SIGKILL"));
  const log = new LogBook();
  let death: string | null = null;
  child.on("error", (error) => {
    death ??= error.message;
  });
  child.on("exit", (code, signal) => {
    death ??= signal ?? `exit code ${code}`;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => log.add(text));
  const running = {
    pid: child.pid ?? 0,
    log: "",
    ended: once(child, "close").then(() => {}),
    stop: async () => {},
    get death() {
      return death === null ? null : `${death}\n${log.alarms.join("\n")}`;
    },
  };
  await untilReady(running, port, 60_000);
  return {
    port,
    pid: running.pid,
    log,
    get death() {
      return death;
    },
    read: (collect) => ask(child, collect),
    stop: () => stop(child, running.ended),
  };
}

async function ask(child: ChildProcess, collect: boolean): Promise<Reading> {
  if (!child.connected) return NO_READING;
  const answer = once(child, "message");
  child.send({ collect });
  const [reading] = await answer;
  return reading as Reading;
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<number | null> {
  const giveUp = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  child.kill("SIGTERM");
  await ended;
  clearTimeout(giveUp);
  return child.exitCode;
}
