import type { Agent } from "./agents/agent.ts";
import type { AgentTemplate } from "./agents/agent-template.ts";
import { createAuthenticator } from "./auth/authenticate.ts";
import type { Credentials } from "./auth/credentials.ts";
import { createRateLimiter } from "./auth/rate-limiter.ts";
import type { LoadedConfig } from "./config/load.ts";
import { bindAddress } from "./config/network.ts";
import type { ConfigInput } from "./config/schema.ts";
import { createSocketDoor } from "./create-socket.ts";
import { createStores } from "./create-stores.ts";
import { createGrowingRedactor } from "./errors/redact.ts";
import { createDoor } from "./http/door.ts";
import { openTls } from "./http/tls.ts";
import { createInForce, secretsOf, toLoaded } from "./in-force.ts";
import { createConnections } from "./models/connections.ts";
import type { Readings } from "./observe/instruments.ts";
import { createLog } from "./observe/log.ts";
import { endWithdrawn, followConfig } from "./reload.ts";
import { createReporting } from "./reporting.ts";
import { createAdmission } from "./runs/admission.ts";
import { createJournal } from "./runs/journal.ts";
import { createRuns, drainingError, type Runs } from "./runs/runs.ts";
import { createWaitingSteps } from "./runs/waiting-steps.ts";
import { createLanes } from "./sessions/lane.ts";
import type { OpenStreams } from "./sse/sse-writer.ts";
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
  /** For example `http://127.0.0.1:18789`; `https:` with `gateway.tls`. */
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
   * keep what they began with, but for those of a key that is gone: they end. What a running gateway cannot change
   * stays as it is.
   * @returns the keys whose new values need a restart
   * @throws ConfigError when the config cannot work; then nothing has changed
   */
  reload(config: ConfigInput | LoadedConfig): Promise<{ restart: string[] }>;
  /**
   * Reloads whenever the file of a config changes, or comes to be at the default place, until `close()`. A file that
   * is broken or gone changes nothing. What became of a change is a line in the log.
   * @param loaded what `createGateway` was given
   * @param prepare puts over the file's config what beats it, each time
   */
  watch(loaded: LoadedConfig, prepare?: (loaded: LoadedConfig) => LoadedConfig): void;
  /** Takes no new runs, waits for those under way and their readers (`drainTimeoutMs`, default 30,000), ends the rest. */
  close(options?: { drainTimeoutMs?: number }): Promise<void>;
}

/** Connections that may wait to be accepted: with Node's 511 a burst of callers loses some. The system may allow fewer. */
const BACKLOG = 4096;

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
  keepSecret(secretsOf(first));
  const log = createLog({ ...config.logging, redact });
  const streams: OpenStreams = { open: 0 };
  const readings: Readings = {
    runsActive: () => admission.slots.running,
    queueWaiting: () => admission.slots.waiting,
    lanesBusy: () => lanes.busy,
    lanesWaiting: () => lanes.waiting,
    streamsOpen: () => streams.open,
    socketsOpen: () => socketRoom?.open ?? 0,
  };
  const report = createReporting({ log, readings });

  const connections = createConnections();
  const mcp = createMcpTools({
    servers: config.mcp.servers,
    variables: env.variables,
    redact,
    log: (level, fields, message) => log[level](fields, message),
  });
  const now = createInForce(first, {
    own: options.agents ?? [],
    connections,
    mcp,
    log,
    redact,
    onCall: report.onCall,
    keepSecret,
    onExchange(before, { config, models }) {
      mcp.update(config.mcp.servers);
      admission.slots.fill();
      log.level = config.logging.level;
      if (app) models.prepare();
      endWithdrawn(runs, before, config);
      socketRoom?.recheck();
    },
  });
  let unwatch: (() => void) | undefined;

  const waitingSteps = createWaitingSteps(config.gateway.http.resumeWindowMs);
  const { sessions: store, completions } = createStores(config.sessions, env.stateDir);
  const lanes = createLanes(() => now.live.config.sessions);
  const socket = createSocketDoor({ store, lanes, runs: () => runs, current: () => now.live, onBug: report.bug });
  const { sessions } = socket;
  const admission = createAdmission(() => now.live.config.gateway.limits, report.full);
  const context = { store: sessions, lanes, waitingSteps, admission };
  const keepsContent = () => now.live.config.logging.content;
  const runs = createRuns(context, report.runEnded, keepsContent, report.bug, socket.onStart);
  const journal = createJournal({ store: completions, resumeWindowMs: config.gateway.http.resumeWindowMs });
  let app: Awaited<ReturnType<typeof createDoor>> | undefined;
  let socketRoom: ReturnType<typeof socket.serve> | undefined;
  let listening: Promise<GatewayAddress> | undefined;

  async function reload(input: ConfigInput | LoadedConfig): Promise<{ restart: string[] }> {
    if (runs.draining) throw new Error("a gateway that closes takes no other config");
    return now.exchange(input);
  }

  async function listen(): Promise<GatewayAddress> {
    const { host } = bindAddress(config.gateway);
    const opening = sessions.open();
    // Awaited below, while the rest gets ready; what fails before is told instead.
    opening.catch(() => {});
    const found = await now.settleCredentials();
    const authenticator = report.withFailures(
      createAuthenticator({
        current: () => ({ credentials: now.credentials ?? found, keys: now.live.keys }),
        rateLimit: config.gateway.auth.rateLimit,
      }),
    );
    const rateLimiter = createRateLimiter();
    socketRoom = socket.serve({ authenticator, authMode: () => found.mode, limiter: rateLimiter });
    const door = await createDoor({
      ...{ runs, admission, sessions, journal, completions, streams, readings, socketRoom, rateLimiter },
      current: () => now.live,
      config: () => now.state,
      authenticator,
      guardOrigin: found.mode === "none" || found.mode === "trusted-proxy",
      tls: await openTls(config.gateway.tls, log),
      state: {
        get draining() {
          return runs.draining;
        },
        get starting() {
          return !mcp.settled;
        },
      },
      servers: mcp.status,
      metrics: report.metrics,
      requests: report.requests,
      onBug: (error, requestId) => report.bug(error, { requestId }),
      webRoot: options.webRoot,
    });
    let url: string;
    try {
      await opening;
      if (runs.draining) throw new Error("the gateway was closed before it listened");
      url = await door.listen({ host, port: config.gateway.port, backlog: BACKLOG });
    } catch (error) {
      await door.close();
      throw error;
    }
    app = door;
    now.live.models.prepare();
    void mcp.ready();
    return {
      url,
      port: Number(new URL(url).port),
      authMode: found.mode,
      tokenFile: "tokenFile" in found ? found.tokenFile : undefined,
    };
  }

  return {
    get agents() {
      return now.live.agents.all;
    },
    get defaultAgent() {
      return now.live.agents.default;
    },
    runs,
    open: () => sessions.open(),
    async listen() {
      if (listening || runs.draining) throw new Error("a gateway listens once; make another one");
      listening = listen().catch((error) => {
        listening = undefined;
        throw error;
      });
      return listening;
    },
    reload,
    watch(from, prepare = (same) => same) {
      if (runs.draining) return;
      unwatch?.();
      unwatch = followConfig({ loaded: from, prepare, reload, log, redact });
    },
    async close({ drainTimeoutMs = 30_000 } = {}) {
      unwatch?.();
      const until = performance.now() + drainTimeoutMs;
      const drained = runs.drain(drainTimeoutMs);
      // Whoever watches under a key may come back to the next gateway, and find the answer there.
      journal.dismiss(drainingError());
      await drained;
      await listening?.catch(() => {});
      await socketRoom?.close();
      await app?.close(until - performance.now());
      await Promise.all([connections.close(), mcp.close()]);
      await sessions.close();
    },
  };
}
