import { type Config, DEMO_MODEL } from "../config/schema.ts";
import type { Variables } from "../config/substitute.ts";
import { nearestName } from "../config/suggest-key.ts";
import { ConfigError } from "../errors/config-error.ts";
import { isInstalled, isSdkApi, libraryOf } from "./ai-sdk/apis.ts";
import { type AwsCredentials, readAwsCredentials } from "./aws.ts";
import { type Api, KNOWN_PROVIDERS } from "./known-providers.ts";

type ProviderConfig = Config["models"]["providers"][string];

/** A model, and everything needed to call it. */
export interface ResolvedModel {
  readonly provider: {
    readonly id: string;
    readonly api: Api;
    /** Up to and with the version, without a trailing slash. */
    readonly baseUrl: string;
    readonly apiKey: string | undefined;
    /** What signs requests to Bedrock in the place of a key. */
    readonly aws?: AwsCredentials;
    readonly headers: Readonly<Record<string, string>>;
    /** How long the provider may be silent, in milliseconds. */
    readonly timeoutMs: number;
  };
  /** The provider's own name of the model. */
  readonly model: string;
  /** What the config says about the model. */
  readonly info?: ProviderConfig["models"][number];
}

/**
 * Finds the provider of `provider/model`: what `models.providers` says, and for the rest of it the table of known
 * providers. The built-in demo model has none and is not to be asked for.
 *
 * @throws ConfigError when there is no such provider, or its key or its package is missing
 */
export function resolveModel(reference: string, config: Pick<Config, "models">, variables: Variables): ResolvedModel {
  const slash = reference.indexOf("/");
  const id = reference.slice(0, slash);
  const model = reference.slice(slash + 1);
  if (slash < 1 || model === "") throw new ConfigError(`model "${reference}": must be "provider/model"`);
  const { providers } = config.models;
  const configured = Object.hasOwn(providers, id) ? providers[id] : undefined;
  const known = KNOWN_PROVIDERS.get(id);
  const fail = (problem: string) => new ConfigError(`model "${reference}": ${problem}`);
  const address = configured?.baseUrl ?? known?.baseUrl;
  if (address === undefined) throw fail(noProvider(id, config));
  const api = configured?.api ?? known?.api ?? "openai-completions";
  if (isSdkApi(api) && !isInstalled(api)) {
    const name = libraryOf(api).package;
    throw fail(`needs the package ${name}: npm install ${name}`);
  }
  const baseUrl = address.replace(/\{(\w+)\}/, (_match, name: string) => {
    const value = variables[name]?.trim();
    if (!value) throw fail(`set ${name} in the environment, or models.providers.${id}.baseUrl`);
    return value;
  });
  const info = configured?.models.find((entry) => entry.id === model);
  const apiKey = findKey(id, configured, variables);
  const aws =
    api === "bedrock-converse-stream" && apiKey === undefined ? readAwsCredentials(variables, baseUrl) : undefined;
  const needsKey = known?.keyVariables !== undefined && !authenticatesOtherwise(configured);
  if (needsKey && apiKey === undefined && !aws) throw fail(noKey(id, known.keyVariables));
  return {
    provider: {
      id,
      api,
      baseUrl,
      apiKey,
      ...(aws && { aws }),
      headers: configured?.headers ?? {},
      timeoutMs: (configured?.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    },
    model,
    ...(info !== undefined && { info }),
  };
}

const KEY_HEADERS = new Set(["authorization", "api-key", "x-api-key", "x-goog-api-key"]);

/** That of `models.providers.<id>.timeoutSeconds`, for a provider without an entry. */
const DEFAULT_TIMEOUT_SECONDS = 300;

/**
 * Resolves every model that an agent of the config would use, so that a wrong one is told at start-up and not at the
 * first request.
 *
 * @throws ConfigError with one line for each
 */
export function checkModels(config: Pick<Config, "agents" | "models">, variables: Variables): void {
  const { defaults, list } = config.agents;
  const used =
    list.length === 0
      ? [{ place: "agents.defaults", ...defaults }]
      : list.map(({ id, ...agent }) => ({ place: `agent ${id}`, ...agent }));
  const models = used.flatMap(({ place, model, fallbacks }) => [
    { place, model },
    ...fallbacks.map((fallback, index) => ({ place: `${place}: fallbacks[${index}]`, model: fallback })),
  ]);
  const problems = models.flatMap(({ place, model }) => {
    if (model === DEMO_MODEL) return [];
    try {
      resolveModel(model, config, variables);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return [`${place}: ${error.message}`];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
}

function findKey(id: string, configured: ProviderConfig | undefined, variables: Variables): string | undefined {
  if (configured?.apiKey !== undefined) return configured.apiKey;
  const names = KNOWN_PROVIDERS.get(id)?.keyVariables ?? [];
  return names.map((name) => variables[name]?.trim()).find((key) => key);
}

function noKey(id: string, names: readonly string[]): string {
  const others = id === "amazon-bedrock" ? ["AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"] : [];
  const set = [...names, ...others].join(" or ");
  return `no key for ${id}: set ${set} in the environment, or models.providers.${id}.apiKey`;
}

/** Behind another address, or with headers of its own, a provider may well need no key. */
function authenticatesOtherwise(configured: ProviderConfig | undefined): boolean {
  if (configured === undefined) return false;
  const names = Object.keys(configured.headers).map((name) => name.toLowerCase());
  return configured.baseUrl !== undefined || names.some((name) => KEY_HEADERS.has(name));
}

function noProvider(id: string, { models }: Pick<Config, "models">): string {
  if (Object.hasOwn(models.providers, id)) return `models.providers.${id} has no baseUrl`;
  const ids = [...new Set([...Object.keys(models.providers), ...KNOWN_PROVIDERS.keys()])];
  const suggestion = nearestName(id, ids);
  const hint = suggestion === undefined ? "" : ` Did you mean "${suggestion}"?`;
  return `unknown provider "${id}".${hint} Known are ${ids.join(", ")}; others need models.providers.${id}.baseUrl`;
}
