import type { Environment } from "../config/env.ts";
import { type Config, DEMO_MODEL } from "../config/schema.ts";
import { createConnections } from "./connections.ts";
import { streamDemo } from "./demo.ts";
import type { StreamModel } from "./model.ts";
import { createOpenAICompatible } from "./openai-compatible.ts";
import { resolveModel } from "./resolve-provider.ts";

/** The models of a gateway, and the connections to their providers. */
export interface Models {
  /** @throws ConfigError for a provider that is not known, or whose key is missing */
  get(reference: string): StreamModel;
  /** Tokens, where the config says. */
  contextWindow(reference: string): number | undefined;
  /** Loads what calls of a provider need, so that the first one does not wait for it. */
  prepare(): void;
  close(): Promise<void>;
}

export interface ModelsOptions {
  config: Config;
  variables: Environment["variables"];
  redact(text: string): string;
}

export function createModels({ config, variables, redact }: ModelsOptions): Models {
  const connections = createConnections();
  let usesProvider = false;
  return {
    get(reference) {
      if (reference === DEMO_MODEL) return streamDemo;
      usesProvider = true;
      const { provider, model } = resolveModel(reference, config, variables);
      return createOpenAICompatible({ provider, model, post: connections.post, redact });
    },
    contextWindow(reference) {
      if (reference === DEMO_MODEL) return undefined;
      return resolveModel(reference, config, variables).info?.contextWindow;
    },
    prepare() {
      if (usesProvider) connections.prepare();
    },
    close: () => connections.close(),
  };
}
