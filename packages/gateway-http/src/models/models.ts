import type { Environment } from "../config/env.ts";
import { type Config, DEMO_MODEL } from "../config/schema.ts";
import { streamDemo } from "./demo.ts";
import type { StreamModel } from "./model.ts";
import { createOpenAICompatible, type HttpClient } from "./openai-compatible.ts";
import { resolveModel } from "./resolve-provider.ts";

/** Milliseconds to reach a provider. */
const CONNECT_TIMEOUT_MS = 10_000;

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

async function loadHttpClient(): Promise<HttpClient> {
  const { Agent, request } = await import("undici");
  // HTTP/1.1 only: with one connection for each stream a slow reader holds up nobody else.
  return { request, dispatcher: new Agent({ allowH2: false, connect: { timeout: CONNECT_TIMEOUT_MS } }) };
}

export function createModels({ config, variables, redact }: ModelsOptions): Models {
  let http: Promise<HttpClient> | undefined;
  // Loaded on first use: undici is half of what this package takes to start, and a demo needs none of it.
  const loadHttp = () => {
    http ??= loadHttpClient();
    return http;
  };
  const made = new Map<string, StreamModel>();
  return {
    get(reference) {
      if (reference === DEMO_MODEL) return streamDemo;
      let stream = made.get(reference);
      if (!stream) {
        const { provider, model } = resolveModel(reference, config, variables);
        stream = createOpenAICompatible({ provider, model, loadHttp, redact });
        made.set(reference, stream);
      }
      return stream;
    },
    contextWindow(reference) {
      if (reference === DEMO_MODEL) return undefined;
      return resolveModel(reference, config, variables).info?.contextWindow;
    },
    prepare() {
      if (made.size > 0) void loadHttp();
    },
    async close() {
      await (await http)?.dispatcher.destroy();
    },
  };
}
