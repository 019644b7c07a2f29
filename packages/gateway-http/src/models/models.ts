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
  const made = new Map<string, StreamModel>();
  return {
    get(reference) {
      if (reference === DEMO_MODEL) return streamDemo;
      let stream = made.get(reference);
      if (!stream) {
        const { provider, model } = resolveModel(reference, config, variables);
        stream = createOpenAICompatible({ provider, model, post: connections.post, redact });
        made.set(reference, stream);
      }
      return stream;
    },
    contextWindow(reference) {
      if (reference === DEMO_MODEL) return undefined;
      return resolveModel(reference, config, variables).info?.contextWindow;
    },
    prepare() {
      if (made.size > 0) connections.prepare();
    },
    close: () => connections.close(),
  };
}
