import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Target } from "./load/request.ts";
import { findFreePort, LOAD_CORE, launch, type Running, TARGET_CORE, untilReady } from "./proc.ts";

/** A target that is up: where to send requests, and how to end it. `running` is null for what was not started here. */
export type Live = { target: Target; running: Running | null; coldStartMs: number; stop(): Promise<void> };
/** What makes a gateway other than its users have it. Other targets have no such thing. */
export type GatewaySetup = {
  /** The URL of a module that is loaded before it, in each of its threads. */
  preload?: string;
  /** The config's `sessions`. */
  sessions?: object;
  /** Whether its agent has tools of its own. */
  tools?: boolean;
  /** Fills the state folder before it starts. */
  prepare?(stateFolder: string): Promise<void>;
};
/** `standIn` is given to what it stands behind. */
export type Launcher = (standIn: Target, setup?: GatewaySetup) => Promise<Live>;

const TOKEN = "bench-gateway-token";
const CLI = fileURLToPath(new URL("../../packages/gateway-http/dist/cli.js", import.meta.url));

const MCP = {
  servers: {
    bench: { command: process.execPath, args: [fileURLToPath(new URL("./tool-server.ts", import.meta.url))] },
  },
};

/** The stand-in, alone on the load's core. */
export async function startStandIn(fixedPort: number | undefined): Promise<Live> {
  const port = fixedPort ?? (await findFreePort());
  const file = fileURLToPath(new URL("./stand-in.ts", import.meta.url));
  return start(port, { token: "", model: "bench" }, () =>
    launch([file, String(port)], { core: LOAD_CORE, hasChannel: true }),
  );
}

/** The load client straight at the stand-in: what the measuring itself costs. */
const startDirect: Launcher = async (standIn) => ({
  // Without a pid: the stand-in is the load's side, its CPU and memory are not a target's.
  target: { ...standIn, pid: null },
  running: null,
  coldStartMs: Number.NaN,
  stop: async () => {},
});

const startFloor: Launcher = async (standIn) => {
  const port = await findFreePort();
  const file = fileURLToPath(new URL("./floor.ts", import.meta.url));
  return start(port, { token: "none", model: "bench" }, () =>
    launch([file, String(port), String(standIn.port)], { core: TARGET_CORE, hasChannel: true }),
  );
};

/** The built command, as its users start it. */
const startGateway: Launcher = async (standIn, { preload, sessions, tools, prepare } = {}) => {
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing: build first, or choose --targets direct,floor`);
  const port = await findFreePort();
  const folder = mkdtempSync(join(tmpdir(), "gateway-bench-"));
  const clear = () => rmSync(folder, { recursive: true, force: true });
  const config = join(folder, "openclaw.json");
  const stateFolder = join(folder, "state");
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_STATE_DIR: stateFolder };
  const args = [...(preload ? ["--import", preload] : []), CLI, "run", "--config", config, "--port", String(port)];
  try {
    writeFileSync(config, JSON.stringify({ ...toConfig(standIn.port), sessions, ...(tools && { mcp: MCP }) }));
    await prepare?.(stateFolder);
    const names = { token: TOKEN, model: "openclaw", stateFolder };
    const live = await start(port, names, () => launch(args, { core: TARGET_CORE, env }));
    return { ...live, stop: () => live.stop().finally(clear) };
  } catch (error) {
    clear();
    throw error;
  }
};

export const launchers: Record<string, Launcher> = { direct: startDirect, floor: startFloor, gateway: startGateway };

/** Another server that somebody has started in front of the stand-in: `url,token,model[,pid]`. */
export function toPeer(text: string): Launcher {
  const [url = "", token = "", model = "bench", pid] = text.split(",");
  const { hostname, port } = new URL(url);
  if (hostname !== "127.0.0.1" || port === "") throw new Error("--target needs http://127.0.0.1:<port>");
  const target = { port: Number(port), token, model, pid: pid ? Number(pid) : null };
  return async () => ({ target, running: null, coldStartMs: Number.NaN, stop: async () => {} });
}

type Names = Pick<Target, "token" | "model" | "stateFolder">;

async function start(port: number, names: Names, launchIt: () => Running): Promise<Live> {
  const startedAt = performance.now();
  const running = launchIt();
  try {
    await untilReady(running, port);
  } catch (error) {
    await running.stop();
    throw error;
  }
  const coldStartMs = performance.now() - startedAt;
  return { target: { ...names, port, pid: running.pid }, running, coldStartMs, stop: running.stop };
}

function toConfig(standInPort: number): object {
  return {
    gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } },
    agents: { list: [{ id: "main", model: "standin/bench", instructions: "You are terse." }] },
    models: {
      providers: { standin: { baseUrl: `http://127.0.0.1:${standInPort}/v1`, apiKey: "bench-provider-key" } },
    },
    logging: { level: "warn" },
  };
}
