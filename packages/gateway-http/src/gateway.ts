import type { Agent } from "./agents/agent.ts";
import type { AgentTemplate } from "./agents/agent-template.ts";
import { createAuthenticator } from "./auth/authenticate.ts";
import { type Credentials, resolveCredentials } from "./auth/credentials.ts";
import { readEnvironment } from "./config/env.ts";
import { keepUntilRestart } from "./config/keep-until-restart.ts";
import type { LoadedConfig } from "./config/load.ts";
import { bindAddress } from "./config/network.ts";
import { parseConfig } from "./config/parse.ts";
import type { ConfigInput } from "./config/schema.ts";
import { collectSecrets } from "./config/secrets.ts";
import { createStores } from "./create-stores.ts";
import { createGrowingRedactor } from "./errors/redact.ts";
import { addApi } from "./http/api.ts";
import { createApp } from "./http/app.ts";
import { addRequestLog } from "./http/request-log.ts";
import { addHealthRoutes } from "./http/routes/health.ts";
import { createLive } from "./live.ts";
import { createConnections } from "./models/connections.ts";
import { KEY_VARIABLES } from "./models/known-providers.ts";
import { createLog } from "./observe/log.ts";
import { createJournal } from "./runs/journal.ts";
import { createRuns, drainingError, type Runs } from "./runs/runs.ts";
import { createWaitingSteps } from "./runs/waiting-steps.ts";
import { createLanes } from "./sessions/lane.ts";
import { createMcpTools } from "./tools/mcp/mcp-tools.ts";

export interface GatewayOptions {
  /** The keys of the config file, or what `loadConfig()` read. Without it: the defaults, endpoint off. */
  config?: ConfigInput | LoadedConfig;
  /** Agents of your own, beside those of `config.agents.list`. */
  agents?: readonly (Agent | AgentTemplate)[];
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
  /**
   * Goes on with another config: agents, models, keys, limits and switches apply to the next request, runs under way
   * keep what they began with. What a running gateway cannot change stays as it is.
   * @returns the keys whose new values need a restart
   * @throws ConfigError when the config cannot work; then nothing has changed
   */
  reload(config: ConfigInput | LoadedConfig): Promise<{ restart: string[] }>;
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
  const first = toLoaded(options.config);
  const { config, env } = first;
  const { redact, add: keepSecret } = createGrowingRedactor();
  const learnSecrets = ({ config, env }: Loaded, credentials?: Credentials) =>
    keepSecret(collectSecrets({ config, env, keyVariables: KEY_VARIABLES, credentials: toSecret(credentials) }));
  learnSecrets(first);
  const log = createLog(config.logging);

  const connections = createConnections();
  const mcp = createMcpTools({
    servers: config.mcp.servers,
    variables: env.variables,
    redact,
    log: (level, fields, message) => log[level](fields, message),
  });
  const parts = { own: options.agents ?? [], connections, mcp, log, redact };
  let live = createLive(first, parts);
  let credentials: Credentials | undefined;

  const waitingSteps = createWaitingSteps(config.gateway.http.resumeWindowMs);
  const { sessions, completions } = createStores(config.sessions, env.stateDir);
  const lanes = createLanes(() => live.config.sessions);
  const logBug = (cause: unknown, context: object) => log.error({ ...context, bug: redact(describe(cause)) }, "bug");
  const runs = createRuns({ store: sessions, lanes, waitingSteps }, (summary, error) => {
    if (error?.code === "internal_error") logBug(error.cause, { runId: summary.runId });
    // The caller is told less of a provider's refusal than whoever has to mend it.
    const reason = error && redact(error.cause === undefined ? error.message : `${error.message} ${error.cause}`);
    log.info({ ...summary, ...(reason && { reason }) }, "run");
  });
  const journal = createJournal({ store: completions, resumeWindowMs: config.gateway.http.resumeWindowMs });
  let app: ReturnType<typeof createApp> | undefined;

  /** Those of a config, in the mode that the gateway listens in. */
  async function findCredentials({ config, env }: Loaded): Promise<Credentials> {
    const { loopback } = bindAddress(config.gateway);
    return resolveCredentials({ auth: config.gateway.auth, env, stateDir: env.stateDir, loopback });
  }

  return {
    get agents() {
      return live.agents.all;
    },
    get defaultAgent() {
      return live.agents.default;
    },
    runs,
    open: () => sessions.open(),
    async listen() {
      if (app || runs.draining) throw new Error("a gateway listens once; make another one");
      const { host } = bindAddress(config.gateway);
      const opening = sessions.open();
      // Awaited below, while the rest gets ready; what fails before is told instead.
      opening.catch(() => {});
      const found = await findCredentials(first);
      credentials = found;
      learnSecrets(first, found);
      app = createApp({
        hosts: () => live.config.gateway.http.hosts,
        trustedProxies: config.gateway.trustedProxies,
        guardOrigin: found.mode === "none" || found.mode === "trusted-proxy",
        onBug: (error, requestId) => logBug(error, { requestId }),
      });
      if (log.isLevelEnabled("debug")) addRequestLog(app, (line) => log.debug(line, "request"));
      addHealthRoutes(app, {
        get draining() {
          return runs.draining;
        },
        get starting() {
          return !mcp.settled;
        },
      });
      const authenticator = createAuthenticator({
        current: () => ({ credentials: credentials ?? found, keys: live.keys }),
        rateLimit: config.gateway.auth.rateLimit,
      });
      await app.register(addApi, { authenticator, current: () => live, runs, sessions, journal, completions });
      if (options.webRoot !== undefined) (await import("./http/web-root.ts")).addWebRoot(app, options.webRoot);
      await opening;
      const url = await app.listen({ host, port: config.gateway.port }).catch((error) => {
        app = undefined;
        throw error;
      });
      live.models.prepare();
      void mcp.ready();
      return {
        url,
        port: Number(new URL(url).port),
        authMode: found.mode,
        tokenFile: "tokenFile" in found ? found.tokenFile : undefined,
      };
    },
    async reload(input) {
      const loaded = toLoaded(input);
      const { config, restart } = keepUntilRestart(live.config, loaded.config);
      const next = { ...loaded, config };
      learnSecrets(next);
      const built = createLive(next, parts);
      if (credentials) {
        const found = await findCredentials(next);
        if (found.mode === credentials.mode) credentials = found;
        else restart.push("gateway.auth.mode");
        learnSecrets(next, credentials);
      }
      live = built;
      log.level = config.logging.level;
      if (app) live.models.prepare();
      return { restart };
    },
    async close({ drainTimeoutMs = 30_000 } = {}) {
      const drained = runs.drain(drainTimeoutMs);
      // Whoever watches under a key may come back to the next gateway, and find the answer there.
      journal.dismiss(drainingError());
      await drained;
      await app?.close();
      await Promise.all([connections.close(), mcp.close()]);
      await sessions.close();
    },
  };
}

type Loaded = Pick<LoadedConfig, "config" | "env" | "modifiedAt">;

function toSecret(credentials: Credentials | undefined): { secret?: string } | undefined {
  return credentials && "secret" in credentials ? credentials : undefined;
}

function toLoaded(input: GatewayOptions["config"] = {}): Loaded {
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
