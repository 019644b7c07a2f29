import { type Credentials, isShortToken, resolveCredentials, SHORT_TOKEN } from "./auth/credentials.ts";
import { resolveInMode } from "./auth/same-mode.ts";
import { readEnvironment } from "./config/env.ts";
import { keepUntilRestart } from "./config/keep-until-restart.ts";
import type { LoadedConfig } from "./config/load.ts";
import { bindAddress } from "./config/network.ts";
import { parseConfig } from "./config/parse.ts";
import type { Config, ConfigInput } from "./config/schema.ts";
import { collectSecrets } from "./config/secrets.ts";
import type { ConfigState } from "./http/routes/status.ts";
import { createLive, type Live, type LiveOptions } from "./live.ts";
import { KEY_VARIABLES } from "./models/known-providers.ts";

/** A config with what it was read by. */
export type Loaded = Pick<LoadedConfig, "config" | "env" | "modifiedAt"> & Partial<Pick<LoadedConfig, "path">>;

/** The config that a gateway goes by now, and what follows from it. */
export interface InForce {
  readonly live: Live;
  readonly state: ConfigState;
  /** What callers have to know. Once there are some, their mode stays. @throws as `resolveCredentials` does */
  settleCredentials(): Promise<Credentials>;
  readonly credentials: Credentials | undefined;
  /**
   * Puts another config in force, as far as a running gateway can follow it.
   * @returns the keys whose new values need a restart
   * @throws ConfigError when it cannot work; then nothing has changed
   */
  exchange(input: ConfigInput | LoadedConfig): Promise<{ restart: string[] }>;
}

export interface InForceOptions extends LiveOptions {
  /** Told of everything that may stand in no answer and no log. */
  keepSecret(secrets: readonly string[]): void;
  /** What else has to follow. Called before anybody else can see that another config is in force. */
  onExchange(before: Config, live: Live): void;
}

export function createInForce(first: Loaded, { keepSecret, onExchange, ...parts }: InForceOptions): InForce {
  const { stateDir } = first.env;
  const inTurn = createTurns();
  let loaded = first;
  let live = createLive(first, parts);
  let state: ConfigState = { path: first.path, restart: [] };
  let credentials: Credentials | undefined;

  const toCredentialsOptions = ({ config: { gateway }, env }: Loaded) => ({
    auth: gateway.auth,
    env,
    stateDir,
    loopback: bindAddress(gateway).loopback,
  });

  async function exchange(input: ConfigInput | LoadedConfig): Promise<{ restart: string[] }> {
    const before = live.config;
    const given = toLoaded(input, Date.now());
    const { config, restart } = keepUntilRestart(before, given.config);
    const next = { ...given, config };
    // Those in force too: they are to outlive any number of configs that cannot work.
    keepSecret([...secretsOf(loaded, credentials), ...secretsOf(next)]);
    const found = credentials && (await resolveInMode(credentials.mode, toCredentialsOptions(next)));
    if (credentials && !found) {
      config.gateway.auth = { ...before.gateway.auth, keys: config.gateway.auth.keys };
      restart.push("gateway.auth.mode");
    }
    if (found) keepSecret(secretsOf(next, found));
    if (found && isShortToken(found)) parts.log.warn(SHORT_TOKEN);
    live = createLive(next, parts);
    loaded = next;
    credentials = found ?? credentials;
    state = { path: next.path, reloadedAt: Date.now(), restart };
    onExchange(before, live);
    return { restart };
  }

  return {
    get live() {
      return live;
    },
    get state() {
      return state;
    },
    get credentials() {
      return credentials;
    },
    settleCredentials: () =>
      inTurn(async () => {
        credentials = await resolveCredentials(toCredentialsOptions(loaded));
        keepSecret(secretsOf(loaded, credentials));
        if (isShortToken(credentials)) parts.log.warn(SHORT_TOKEN);
        return credentials;
      }),
    exchange: (input) => inTurn(() => exchange(input)),
  };
}

/** @param now milliseconds since the epoch: from when on a config of code counts */
export function toLoaded(input: ConfigInput | LoadedConfig = {}, now = performance.timeOrigin): Loaded {
  if ("config" in input) return input;
  const env = readEnvironment();
  const { config } = parseConfig(input);
  // What code says is meant; what it leaves out, whoever runs it may still say.
  if (input.gateway?.port === undefined && env.port !== undefined) config.gateway.port = env.port;
  return { config, env, modifiedAt: now };
}

/** Everything of a config that may stand in no answer and no log. */
export function secretsOf({ config, env }: Loaded, credentials?: Credentials): string[] {
  const withSecret = credentials && "secret" in credentials ? credentials : undefined;
  return collectSecrets({ config, env, keyVariables: KEY_VARIABLES, credentials: withSecret });
}

/** Does one thing at a time, in the order in which they came. */
function createTurns(): <Result>(task: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  };
}
