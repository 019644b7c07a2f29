import type { Agent } from "./agents/agent.ts";
import type { AgentTemplate } from "./agents/agent-template.ts";
import { createAuthenticator } from "./auth/authenticate.ts";
import { type Credentials, resolveCredentials } from "./auth/credentials.ts";
import { readEnvironment } from "./config/env.ts";
import type { LoadedConfig } from "./config/load.ts";
import { bindAddress } from "./config/network.ts";
import { parseConfig } from "./config/parse.ts";
import type { ConfigInput } from "./config/schema.ts";
import { collectSecrets } from "./config/secrets.ts";
import { createAgents } from "./create-agents.ts";
import { createStores } from "./create-stores.ts";
import { createRedactor } from "./errors/redact.ts";
import { addApi } from "./http/api.ts";
import { createApp } from "./http/app.ts";
import { addRequestLog } from "./http/request-log.ts";
import { addHealthRoutes } from "./http/routes/health.ts";
import { KEY_VARIABLES } from "./models/known-providers.ts";
import { createModels } from "./models/models.ts";
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
  const mcp = createMcpTools({
    servers: config.mcp.servers,
    variables: env.variables,
    redact: (text) => redact(text),
    log: (level, fields, message) => log[level](fields, message),
  });
  const agents = createAgents({ config, own: options.agents ?? [], models, mcp, log, redact: (text) => redact(text) });

  const { concurrency, maxQueued } = config.sessions;
  const waitingSteps = createWaitingSteps(config.gateway.http.resumeWindowMs);
  const { sessions, completions } = createStores(config.sessions, env.stateDir);
  const lanes = createLanes({ policy: concurrency, maxQueued });
  const logBug = (cause: unknown, context: object) => log.error({ ...context, bug: redact(describe(cause)) }, "bug");
  const runs = createRuns({ store: sessions, lanes, waitingSteps }, (summary, error) => {
    if (error?.code === "internal_error") logBug(error.cause, { runId: summary.runId });
    // The caller is told less of a provider's refusal than whoever has to mend it.
    const reason = error && redact(error.cause === undefined ? error.message : `${error.message} ${error.cause}`);
    log.info({ ...summary, ...(reason && { reason }) }, "run");
  });

  const { http, auth, trustedProxies } = config.gateway;
  const journal = createJournal({ store: completions, resumeWindowMs: http.resumeWindowMs });
  let app: ReturnType<typeof createApp> | undefined;

  return {
    agents: agents.all,
    defaultAgent: agents.default,
    runs,
    open: () => sessions.open(),
    async listen() {
      if (app || runs.draining) throw new Error("a gateway listens once; make another one");
      const { host, loopback } = bindAddress(config.gateway);
      const opening = sessions.open();
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
      addHealthRoutes(app, {
        get draining() {
          return runs.draining;
        },
        get starting() {
          return !mcp.settled;
        },
      });
      await app.register(addApi, {
        ...http,
        ...config.sessions,
        ...http.endpoints.chatCompletions,
        authenticator: createAuthenticator({ credentials, rateLimit: auth.rateLimit }),
        agents,
        runs,
        sessions,
        journal,
        completions,
        created: Math.floor(modifiedAt / 1000),
      });
      if (options.webRoot !== undefined) (await import("./http/web-root.ts")).addWebRoot(app, options.webRoot);
      await opening;
      const url = await app.listen({ host, port: config.gateway.port }).catch((error) => {
        app = undefined;
        throw error;
      });
      models.prepare();
      void mcp.ready();
      return {
        url,
        port: Number(new URL(url).port),
        authMode: credentials.mode,
        tokenFile: credentials.mode === "none" ? undefined : credentials.tokenFile,
      };
    },
    async close({ drainTimeoutMs = 30_000 } = {}) {
      const drained = runs.drain(drainTimeoutMs);
      // Whoever watches under a key may come back to the next gateway, and find the answer there.
      journal.dismiss(drainingError());
      await drained;
      await app?.close();
      await Promise.all([models.close(), mcp.close()]);
      await sessions.close();
    },
  };
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
