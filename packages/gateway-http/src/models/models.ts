import { Agent, type Dispatcher } from "undici";
import type { Environment } from "../config/env.ts";
import { type Config, DEMO_MODEL } from "../config/schema.ts";
import { streamDemo } from "./demo.ts";
import type { StreamModel } from "./model.ts";
import { createOpenAICompatible } from "./openai-compatible.ts";
import { resolveModel } from "./resolve-provider.ts";

/** Milliseconds to reach a provider. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The models of a gateway, and the connections to their providers. */
export interface Models {
  /** @throws ConfigError for a provider that is not known, or whose key is missing */
  get(reference: string): StreamModel;
  /** Tokens, where the config says. */
  contextWindow(reference: string): number | undefined;
  close(): Promise<void>;
}

export interface ModelsOptions {
  config: Config;
  variables: Environment["variables"];
  redact(text: string): string;
}

export function createModels({ config, variables, redact }: ModelsOptions): Models {
  // HTTP/1.1 only: one connection for each stream means that one slow reader holds up nobody else.
  const dispatcher: Dispatcher = new Agent({ allowH2: false, connect: { timeout: CONNECT_TIMEOUT_MS } });
  const made = new Map<string, StreamModel>();
  return {
    get(reference) {
      if (reference === DEMO_MODEL) return streamDemo;
      let stream = made.get(reference);
      if (!stream) {
        const { provider, model } = resolveModel(reference, config, variables);
        stream = createOpenAICompatible({ provider, model, dispatcher, redact });
        made.set(reference, stream);
      }
      return stream;
    },
    contextWindow(reference) {
      if (reference === DEMO_MODEL) return undefined;
      return resolveModel(reference, config, variables).info?.contextWindow;
    },
    close: () => dispatcher.destroy(),
  };
}
