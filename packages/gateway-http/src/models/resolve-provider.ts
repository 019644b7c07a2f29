import { type Config, DEMO_MODEL } from "../config/schema.ts";
import type { Variables } from "../config/substitute.ts";
import { nearestName } from "../config/suggest-key.ts";
import { ConfigError } from "../errors/config-error.ts";
import { KNOWN_PROVIDERS } from "./known-providers.ts";

type ProviderConfig = Config["models"]["providers"][string];

/** A model, and everything needed to call it. */
export interface ResolvedModel {
  readonly provider: {
    readonly id: string;
    /** Up to and with `/v1`, without a trailing slash. */
    readonly baseUrl: string;
    readonly apiKey: string | undefined;
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
 * @throws ConfigError when there is no such provider, or its key is missing
 */
export function resolveModel(reference: string, config: Pick<Config, "models">, variables: Variables): ResolvedModel {
  const slash = reference.indexOf("/");
  const id = reference.slice(0, slash);
  const model = reference.slice(slash + 1);
  if (slash < 1 || model === "") throw new ConfigError(`model "${reference}": must be "provider/model"`);
  const { providers } = config.models;
  const configured = Object.hasOwn(providers, id) ? providers[id] : undefined;
  const baseUrl = configured?.baseUrl ?? KNOWN_PROVIDERS.get(id)?.baseUrl;
  if (baseUrl === undefined) throw new ConfigError(`model "${reference}": ${noProvider(id, config)}`);
  const info = configured?.models.find((entry) => entry.id === model);
  return {
    provider: {
      id,
      baseUrl,
      apiKey: findKey(reference, id, configured, variables),
      headers: configured?.headers ?? {},
      timeoutMs: (configured?.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    },
    model,
    ...(info !== undefined && { info }),
  };
}

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
      ? [{ place: "agents.defaults", model: defaults.model }]
      : list.map(({ id, model }) => ({ place: `agent ${id}`, model }));
  const problems = used.flatMap(({ place, model }) => {
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

function findKey(reference: string, id: string, configured: ProviderConfig | undefined, variables: Variables) {
  if (configured?.apiKey !== undefined) return configured.apiKey;
  const variable = KNOWN_PROVIDERS.get(id)?.keyVariable;
  if (variable === undefined) return undefined;
  const key = variables[variable]?.trim() || undefined;
  if (key !== undefined || authenticatesOtherwise(configured)) return key;
  throw new ConfigError(
    `model "${reference}": no key for ${id}: set ${variable} in the environment, or models.providers.${id}.apiKey`,
  );
}

/** Behind another address, or with headers of its own, a provider may well need no key. */
function authenticatesOtherwise(configured: ProviderConfig | undefined): boolean {
  if (configured === undefined) return false;
  const names = Object.keys(configured.headers).map((name) => name.toLowerCase());
  return configured.baseUrl !== undefined || names.includes("authorization") || names.includes("api-key");
}

function noProvider(id: string, { models }: Pick<Config, "models">): string {
  if (Object.hasOwn(models.providers, id)) return `models.providers.${id} has no baseUrl`;
  const ids = [...new Set([...Object.keys(models.providers), ...KNOWN_PROVIDERS.keys()])];
  const suggestion = nearestName(id, ids);
  const hint = suggestion === undefined ? "" : ` Did you mean "${suggestion}"?`;
  return `unknown provider "${id}".${hint} Known are ${ids.join(", ")}; others need models.providers.${id}.baseUrl`;
}
