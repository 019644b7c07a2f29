import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ConfigError, createGateway, type LoadedConfig, loadConfig } from "@openclaw/gateway-http";
import { withDemoAgents } from "./demo-agents.ts";
import { startText } from "./start-text.ts";

const DRAIN_TIMEOUT_MS = 30_000;

// `--page` names a server that shows the page and passes /v1 on to here, as dev.ts starts one. Else it comes from dist.
const { values } = parseArgs({ options: { page: { type: "string" } } });

try {
  process.exitCode = await serve(values.page);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 78 : 1;
}

/** Gateway and page in one process, until SIGTERM or SIGINT; then running answers may finish. */
async function serve(page: string | undefined): Promise<number> {
  const file = await loadConfig();
  const loaded = withChat(file);
  const gateway = createGateway({ ...withDemoAgents(loaded), ...(page === undefined && { webRoot: builtPage() }) });
  // From before anybody can know that it runs: whoever reads the lines below may stop it at once.
  const stopped = stopSignal();
  const address = await gateway.listen().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    const { port } = loaded.config.gateway;
    throw new Error(`Port ${port} is in use. Another gateway? Choose one with OPENCLAW_GATEWAY_PORT.`);
  });
  gateway.watch(file, (changed) => withDemoAgents(withChat(changed)).config);
  for (const notice of loaded.notices) process.stderr.write(`${notice}\n`);
  process.stdout.write(startText({ address, loaded, page, isTerminal: process.stdout.isTTY === true }));
  await stopped;
  process.stdout.write(`Stopping: ${gateway.runs.active} runs under way. Once more to stop at once.\n`);
  // The second signal: sockets are cut, not ended, so that no half answer looks whole.
  void stopSignal().then((signal) => process.exit(signal === "SIGINT" ? 130 : 143));
  await gateway.close({ drainTimeoutMs: DRAIN_TIMEOUT_MS });
  return 0;
}

/** The page is nothing without the endpoint, so it is on here whatever the config says. */
function withChat(loaded: LoadedConfig): LoadedConfig {
  const { gateway } = loaded.config;
  const { endpoints } = gateway.http;
  const chatCompletions = { ...endpoints.chatCompletions, enabled: true };
  const http = { ...gateway.http, endpoints: { ...endpoints, chatCompletions } };
  return { ...loaded, config: { ...loaded.config, gateway: { ...gateway, http } } };
}

function builtPage(): string {
  const folder = join(import.meta.dirname, "dist");
  if (existsSync(join(folder, "index.html"))) return folder;
  throw new Error("The page is not built yet: pnpm build");
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
  });
}
