import { MODALITIES, type Modality } from "../chat/modality.ts";
import type { Environment } from "../config/env.ts";
import { type Config, DEMO_MODEL } from "../config/schema.ts";
import { createAiSdkModel } from "./ai-sdk/ai-sdk-model.ts";
import { type CreateSdkModel, isSdkApi, libraryOf, type SdkApi } from "./ai-sdk/apis.ts";
import { withoutSchemaless } from "./ai-sdk/schemaless.ts";
import type { Connections } from "./connections.ts";
import { streamDemo } from "./demo.ts";
import type { StreamModel } from "./model.ts";
import { createModelCalls, type OnModelCall } from "./model-call.ts";
import { createOpenAICompatible } from "./openai-compatible.ts";
import { resolveModel } from "./resolve-provider.ts";
import { withStructure } from "./structured/with-structure.ts";

/** The models of a gateway, and the connections to their providers. */
export interface Models {
  /** @throws ConfigError for a provider that is not known, or whose key or package is missing */
  get(reference: string): StreamModel;
  /** Tokens, where the config says. */
  contextWindow(reference: string): number | undefined;
  /** What it takes in. One that the config says nothing about takes everything; its provider refuses what it cannot. */
  input(reference: string): readonly Modality[];
  /** Loads what calls of a provider need, so that the first one does not wait for it. */
  prepare(): void;
}

export interface ModelsOptions {
  config: Pick<Config, "models">;
  variables: Environment["variables"];
  /** Of the gateway: runs of an earlier config may still use them. */
  connections: Connections;
  redact(text: string): string;
  /** Told of every call of a provider. */
  onCall?: OnModelCall | undefined;
}

export function createModels({ config, variables, connections, redact, onCall }: ModelsOptions): Models {
  let usesProvider = false;
  // Loaded on first use, each once: a package takes a tenth of a second.
  const libraries = new Map<SdkApi, Promise<CreateSdkModel> | undefined>();
  const load = (api: SdkApi) => {
    const library = libraries.get(api) ?? libraryOf(api).load();
    libraries.set(api, library);
    // One that could not be loaded may be there by the next call.
    library.catch(() => libraries.set(api, undefined));
    return library;
  };
  return {
    get(reference) {
      if (isDemo(reference)) return streamDemo;
      usesProvider = true;
      const { provider, model, info } = resolveModel(reference, config, variables);
      const { api } = provider;
      const startCall = createModelCalls({ provider, model, post: connections.post, onCall });
      const parts = { provider, model, startCall, redact };
      if (isSdkApi(api)) libraries.set(api, libraries.get(api));
      const stream = isSdkApi(api) ? createAiSdkModel({ ...parts, api, load }) : createOpenAICompatible(parts);
      if (info?.structuredOutput === "prompt") return withStructure(stream);
      // Anthropic and Bedrock have words for JSON of a schema only.
      const needsSchema = api === "anthropic-messages" || api === "bedrock-converse-stream";
      return needsSchema && !info?.structuredOutput ? withoutSchemaless(withStructure(stream, "json_object")) : stream;
    },
    contextWindow(reference) {
      if (isDemo(reference)) return undefined;
      return resolveModel(reference, config, variables).info?.contextWindow;
    },
    input(reference) {
      if (isDemo(reference)) return ["text"];
      return resolveModel(reference, config, variables).info?.input ?? MODALITIES;
    },
    prepare() {
      if (!usesProvider) return;
      connections.prepare();
      // One that cannot be loaded says so to whoever calls it.
      for (const api of libraries.keys()) load(api).catch(() => {});
    },
  };
}

/** Also as `provider/model`, by which lists name it to clients that know no other form. */
function isDemo(reference: string): boolean {
  return reference === DEMO_MODEL || reference === `${DEMO_MODEL}/${DEMO_MODEL}`;
}
