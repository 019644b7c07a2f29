import type { Agent } from "./agents/agent.ts";
import { createConfiguredAgents } from "./agents/configured-agents.ts";
import { createAgentRegistry } from "./agents/registry.ts";
import { createAuthenticator } from "./auth/authenticate.ts";
import { type Credentials, resolveCredentials } from "./auth/credentials.ts";
import { readEnvironment } from "./config/env.ts";
import type { LoadedConfig } from "./config/load.ts";
import { bindAddress } from "./config/network.ts";
import { parseConfig } from "./config/parse.ts";
import type { Config, ConfigInput } from "./config/schema.ts";
import { collectSecrets } from "./config/secrets.ts";
import { createRedactor } from "./errors/redact.ts";
import { addApi } from "./http/api.ts";
import { createApp } from "./http/app.ts";
import { addRequestLog } from "./http/request-log.ts";
import { addHealthRoutes } from "./http/routes/health.ts";
import { KEY_VARIABLES } from "./models/known-providers.ts";
import { createModels } from "./models/models.ts";
import { createLog } from "./observe/log.ts";
import { createRuns, type Runs } from "./runs/runs.ts";
import { createLanes } from "./sessions/lane.ts";
import { createMemoryStore } from "./sessions/memory-store.ts";
import { createSqliteStore } from "./sessions/sqlite/sqlite-store.ts";
import type { SessionStore } from "./sessions/store.ts";

/** Milliseconds a gateway waits for the one before it to let go of the state folder. */
const LOCK_TIMEOUT_MS = 500;

export interface GatewayOptions {
  /** The keys of the config file, or what `loadConfig()` read. Without it: the defaults, endpoint off. */
  config?: ConfigInput | LoadedConfig;
  /** Agents of your own, beside those of `config.agents.list`. */
  agents?: readonly Agent[];
  /** A folder to serve at `/`, for a page of your own. Anyone who reaches the port may read it. */
  webRoot?: string;
}

/** Where a gateway listens, and how callers prove who they are. */
export interface GatewayAddress {
  /** For example `http://127.0.0.1:18789`. */
  url: string;
  port: number;
  authMode: Credentials["mode"];
  /** The file that holds the token, when the gateway made one. */
  tokenFile: string | undefined;
}

export interface Gateway {
  readonly agents: readonly Agent[];
  /** The agent that answers when none is named. */
  readonly defaultAgent: Agent;
  /** Runs agents without HTTP, on the same road. */
  readonly runs: Runs;
  /**
   * Opens the sessions' store. `listen()` and the first run of a session do it by themselves; call it to know early.
   * @throws StateLockedError when another gateway uses the state folder; ConfigError when the folder cannot be used
   */
  open(): Promise<void>;
  /** Once. @throws what `open()` throws; ConfigError when it would listen to more than this machine without auth */
  listen(): Promise<GatewayAddress>;
  /** Takes no new runs, waits for those under way (`drainTimeoutMs`, default 30,000), ends the rest, stops listening. */
  close(options?: { drainTimeoutMs?: number }): Promise<void>;
}

/**
 * Puts a gateway together. Nothing listens until `listen()`.
 *
 * @example
 * ```ts
 * const gateway = createGateway({
 *   config: { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } },
 *   agents: [defineAgent({ id: "main", async *run() { yield "Hello!"; } })],
 * });
 * const { url } = await gateway.listen();
 * ```
 * @throws ConfigError when the config or the agents cannot work
 */
export function createGateway(options: GatewayOptions = {}): Gateway {
  const { config, env, modifiedAt } = toLoaded(options.config);
  const secrets = { config, env, keyVariables: KEY_VARIABLES };
  let redact = createRedactor(collectSecrets(secrets));
  const log = createLog(config.logging);

  const models = createModels({ config, variables: env.variables, redact: (text) => redact(text) });
  const own = options.agents ?? [];
  const configured = own.length > 0 && config.agents.list.length === 0 ? [] : createConfiguredAgents(config, models);
  const agents = createAgentRegistry([...own, ...configured]);

  const { concurrency, maxQueued } = config.sessions;
  const store = createStore(config.sessions, env.stateDir);
  const lanes = createLanes({ policy: concurrency, maxQueued });
  const logBug = (cause: unknown, context: object) => log.error({ ...context, bug: redact(describe(cause)) }, "bug");
  const runs = createRuns({ store, lanes }, (summary, error) => {
    if (error?.code === "internal_error") logBug(error.cause, { runId: summary.runId });
    // The caller is told less of a provider's refusal than whoever has to mend it.
    const reason = error && redact(error.cause === undefined ? error.message : `${error.message} ${error.cause}`);
    log.info({ ...summary, ...(reason && { reason }) }, "run");
  });

  const { http, auth, trustedProxies } = config.gateway;
  let app: ReturnType<typeof createApp> | undefined;

  return {
    agents: agents.all,
    defaultAgent: agents.default,
    runs,
    open: () => store.open(),
    async listen() {
      if (app || runs.draining) throw new Error("a gateway listens once; make another one");
      const { host, loopback } = bindAddress(config.gateway);
      const opening = store.open();
      // Awaited below, while the rest gets ready; what fails before is told instead.
      opening.catch(() => {});
      const credentials = await resolveCredentials({ auth, env, stateDir: env.stateDir, loopback });
      redact = createRedactor(collectSecrets({ ...secrets, ...(credentials.mode !== "none" && { credentials }) }));
      app = createApp({
        hosts: http.hosts,
        trustedProxies,
        guardOrigin: credentials.mode === "none",
        onBug: (error, requestId) => logBug(error, { requestId }),
      });
      if (log.isLevelEnabled("debug")) addRequestLog(app, (line) => log.debug(line, "request"));
      addHealthRoutes(app, runs);
      await app.register(addApi, {
        ...http,
        ...config.sessions,
        enabled: http.endpoints.chatCompletions.enabled,
        authenticator: createAuthenticator({ credentials, rateLimit: auth.rateLimit }),
        agents,
        runs,
        created: Math.floor(modifiedAt / 1000),
      });
      if (options.webRoot !== undefined) (await import("./http/web-root.ts")).addWebRoot(app, options.webRoot);
      await opening;
      const url = await app.listen({ host, port: config.gateway.port }).catch((error) => {
        app = undefined;
        throw error;
      });
      models.prepare();
      return {
        url,
        port: Number(new URL(url).port),
        authMode: credentials.mode,
        tokenFile: credentials.mode === "none" ? undefined : credentials.tokenFile,
      };
    },
    async close({ drainTimeoutMs = 30_000 } = {}) {
      await runs.drain(drainTimeoutMs);
      await app?.close();
      await models.close();
      await store.close();
    },
  };
}

function createStore({ store, maxEntries, pruneAfter }: Config["sessions"], folder: string): SessionStore {
  const limits = { maxEntries, pruneAfterMs: pruneAfter };
  if (store.kind === "memory") return createMemoryStore(limits);
  return createSqliteStore({ ...limits, folder, sync: store.sync, lockTimeoutMs: LOCK_TIMEOUT_MS });
}

function toLoaded(input: GatewayOptions["config"] = {}): Pick<LoadedConfig, "config" | "env" | "modifiedAt"> {
  if ("config" in input) return input;
  const env = readEnvironment();
  const { config } = parseConfig(input);
  // What code says is meant; what it leaves out, whoever runs it may still say.
  if (input.gateway?.port === undefined && env.port !== undefined) config.gateway.port = env.port;
  return { config, env, modifiedAt: performance.timeOrigin };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
