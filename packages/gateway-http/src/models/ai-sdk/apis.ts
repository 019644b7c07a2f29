import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { AwsCredentials } from "../aws.ts";
import type { Api } from "../known-providers.ts";

/** The wires that are not OpenAI's Chat Completions, each spoken by a package that is installed only where it is used. */
export type SdkApi = Exclude<Api, "openai-completions">;

interface SdkConnection {
  baseUrl: string;
  apiKey: string;
  aws: AwsCredentials | undefined;
  fetch: typeof globalThis.fetch;
}

/** What a package makes of a connection and a model's name. */
export type CreateSdkModel = (connection: SdkConnection, model: string) => LanguageModelV4;

interface Library {
  /** As npm knows it. */
  readonly package: string;
  /** The member of `providerOptions` and `providerMetadata` that is its own. */
  readonly key: string;
  load(): Promise<CreateSdkModel>;
}

/** Where the wire has no ids of its own. */
const generateId = () => `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;

// Everything these packages would otherwise look for in the environment is given to them.
const LIBRARIES: Readonly<Record<SdkApi, Library>> = {
  "anthropic-messages": {
    package: "@ai-sdk/anthropic",
    key: "anthropic",
    async load() {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return ({ baseUrl, apiKey, fetch }, model) =>
        createAnthropic({ baseURL: withVersion(baseUrl), apiKey, fetch, generateId })(model);
    },
  },
  "google-generative-ai": {
    package: "@ai-sdk/google",
    key: "google",
    async load() {
      const { createGoogle } = await import("@ai-sdk/google");
      return ({ baseUrl, apiKey, fetch }, model) =>
        createGoogle({ baseURL: baseUrl, apiKey, fetch, generateId })(model);
    },
  },
  "openai-responses": {
    package: "@ai-sdk/openai",
    key: "openai",
    async load() {
      const { createOpenAI } = await import("@ai-sdk/openai");
      return ({ baseUrl, apiKey, fetch }, model) => createOpenAI({ baseURL: baseUrl, apiKey, fetch }).responses(model);
    },
  },
  "bedrock-converse-stream": {
    package: "@ai-sdk/amazon-bedrock",
    key: "amazonBedrock",
    async load() {
      const { createAmazonBedrock } = await import("@ai-sdk/amazon-bedrock");
      return ({ baseUrl, apiKey, aws, fetch }, model) =>
        createAmazonBedrock({ baseURL: baseUrl, fetch, generateId, ...(aws ? { ...aws, apiKey: "" } : { apiKey }) })(
          model,
        );
    },
  },
};

export function isSdkApi(api: string): api is SdkApi {
  return Object.hasOwn(LIBRARIES, api);
}

export function libraryOf(api: SdkApi): Library {
  return LIBRARIES[api];
}

/** Whether the package of this wire can be loaded. Only looks for it: loading takes a tenth of a second. */
export function isInstalled(api: SdkApi): boolean {
  try {
    createRequire(import.meta.url).resolve(LIBRARIES[api].package);
    return true;
  } catch {
    return false;
  }
}

/** Anthropic's own library adds `/v1` itself, so addresses for it are often given without. */
function withVersion(baseUrl: string): string {
  return /\/v\d+$/.test(baseUrl) ? baseUrl : `${baseUrl}/v1`;
}
