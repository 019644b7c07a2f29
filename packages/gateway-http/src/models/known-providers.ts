/** A provider that needs no config, or only a key. */
export interface KnownProvider {
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  /** The environment variable its own tools read the key from. Absent: it needs no key. */
  readonly keyVariable?: string;
}

/** Providers that speak OpenAI's Chat Completions, by the id that stands before the slash in `provider/model`. */
export const KNOWN_PROVIDERS: ReadonlyMap<string, KnownProvider> = new Map<string, KnownProvider>([
  ["openai", { baseUrl: "https://api.openai.com/v1", keyVariable: "OPENAI_API_KEY" }],
  ["openrouter", { baseUrl: "https://openrouter.ai/api/v1", keyVariable: "OPENROUTER_API_KEY" }],
  ["groq", { baseUrl: "https://api.groq.com/openai/v1", keyVariable: "GROQ_API_KEY" }],
  ["mistral", { baseUrl: "https://api.mistral.ai/v1", keyVariable: "MISTRAL_API_KEY" }],
  ["deepseek", { baseUrl: "https://api.deepseek.com/v1", keyVariable: "DEEPSEEK_API_KEY" }],
  ["xai", { baseUrl: "https://api.x.ai/v1", keyVariable: "XAI_API_KEY" }],
  ["together", { baseUrl: "https://api.together.xyz/v1", keyVariable: "TOGETHER_API_KEY" }],
  // On this machine
  ["ollama", { baseUrl: "http://127.0.0.1:11434/v1" }],
  ["vllm", { baseUrl: "http://127.0.0.1:8000/v1" }],
  ["lmstudio", { baseUrl: "http://127.0.0.1:1234/v1" }],
  ["llamacpp", { baseUrl: "http://127.0.0.1:8080/v1" }],
]);

/** The environment variables that hold a provider's key, whether or not the provider is in use. */
export const KEY_VARIABLES: readonly string[] = [...KNOWN_PROVIDERS.values()].flatMap(
  ({ keyVariable }) => keyVariable ?? [],
);
