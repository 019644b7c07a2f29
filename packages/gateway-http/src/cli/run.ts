import type { Environment } from "../config/env.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { createGateway, type Gateway } from "../gateway.ts";
import { applyOptions, drainTimeout } from "./apply-options.ts";
import { banner } from "./banner.ts";
import type { Options } from "./options.ts";
import { onStopSignal } from "./stop-signals.ts";

/** Milliseconds that the log's reader has for the last lines. */
const LAST_LINES_MS = 2000;

/** `openclaw-gateway run`: serves until SIGTERM, SIGINT or SIGHUP, then lets running answers finish. */
export async function runGateway(options: Options, env: Environment): Promise<number> {
  const drainTimeoutMs = drainTimeout(options["drain-timeout"]);
  const withOptions = (loaded: LoadedConfig) => applyOptions(loaded, options);
  const file = await loadConfig({ path: options.config, env });
  const loaded = withOptions(file);
  const gateway = createGateway({ config: loaded });
  // Before anyone can know that it runs: a supervisor may stop it as soon as it sees the first line.
  const stopped = onStopSignal();
  const address = await listen(gateway, loaded.config.gateway.port);
  gateway.watch(file, withOptions);
  for (const notice of loaded.notices) process.stderr.write(`${notice}\n`);
  process.stdout.write(banner({ address, gateway, loaded }));
  await stopped;
  process.stdout.write(`Stopping: ${gateway.runs.active} runs under way. Once more to stop at once.\n`);
  await gateway.close({ drainTimeoutMs });
  setTimeout(exitUnread, LAST_LINES_MS).unref();
  return 0;
}

/** What nobody reads would keep the process alive. */
function exitUnread(): void {
  const { stdout, stderr } = process;
  if (stdout.writableLength > 0 || stderr.writableLength > 0) process.exit(0);
}

async function listen(gateway: Gateway, port: number): ReturnType<Gateway["listen"]> {
  try {
    return await gateway.listen();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${port} is in use. Another gateway? Choose one with --port or OPENCLAW_GATEWAY_PORT.`);
  }
}
