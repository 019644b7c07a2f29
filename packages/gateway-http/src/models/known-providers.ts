import type { Config } from "../config/schema.ts";
import { AWS_SECRET_VARIABLES } from "./aws.ts";

/** What a provider speaks. */
export type Api = NonNullable<Config["models"]["providers"][string]["api"]>;

/** A provider that needs no config, or only a key. */
export interface KnownProvider {
  /** Up to and with the version, as `/v1`. `{NAME}` stands for an environment variable. */
  readonly baseUrl: string;
  /** What it speaks, when that is not OpenAI's Chat Completions. */
  readonly api?: Api;
  /** The environment variables its own tools read the key from; the first one set counts. Absent: it needs no key. */
  readonly keyVariables?: readonly string[];
}

/** By the id that stands before the slash in `provider/model`. */
export const KNOWN_PROVIDERS: ReadonlyMap<string, KnownProvider> = new Map<string, KnownProvider>([
  ["openai", { baseUrl: "https://api.openai.com/v1", keyVariables: ["OPENAI_API_KEY"] }],
  ["openrouter", { baseUrl: "https://openrouter.ai/api/v1", keyVariables: ["OPENROUTER_API_KEY"] }],
  ["groq", { baseUrl: "https://api.groq.com/openai/v1", keyVariables: ["GROQ_API_KEY"] }],
  ["mistral", { baseUrl: "https://api.mistral.ai/v1", keyVariables: ["MISTRAL_API_KEY"] }],
  ["deepseek", { baseUrl: "https://api.deepseek.com/v1", keyVariables: ["DEEPSEEK_API_KEY"] }],
  ["xai", { baseUrl: "https://api.x.ai/v1", keyVariables: ["XAI_API_KEY"] }],
  ["together", { baseUrl: "https://api.together.xyz/v1", keyVariables: ["TOGETHER_API_KEY"] }],
  [
    "anthropic",
    { baseUrl: "https://api.anthropic.com/v1", api: "anthropic-messages", keyVariables: ["ANTHROPIC_API_KEY"] },
  ],
  [
    "google",
    {
      baseUrl: "https://generativelanguage.googleapis.com/v1beta",
      api: "google-generative-ai",
      keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    },
  ],
  [
    "amazon-bedrock",
    {
      baseUrl: "https://bedrock-runtime.{AWS_REGION}.amazonaws.com",
      api: "bedrock-converse-stream",
      keyVariables: ["AWS_BEARER_TOKEN_BEDROCK"],
    },
  ],
  // On this machine
  ["ollama", { baseUrl: "http://127.0.0.1:11434/v1" }],
  ["vllm", { baseUrl: "http://127.0.0.1:8000/v1" }],
  ["lmstudio", { baseUrl: "http://127.0.0.1:1234/v1" }],
  ["llamacpp", { baseUrl: "http://127.0.0.1:8080/v1" }],
]);

/** The environment variables that hold a provider's key, whether or not the provider is in use. */
export const KEY_VARIABLES: readonly string[] = [
  ...[...KNOWN_PROVIDERS.values()].flatMap(({ keyVariables }) => keyVariables ?? []),
  ...AWS_SECRET_VARIABLES,
];
