import { z } from "zod";
import { MODALITIES, toModalities } from "../chat/modality.ts";
import { oneOf, secretText, timerSeconds } from "./schema-values.ts";

const APIS = [
  "openai-completions",
  "openai-responses",
  "anthropic-messages",
  "google-generative-ai",
  "bedrock-converse-stream",
] as const;

const UNSUPPORTED_APIS = [
  "openai-codex-responses",
  "openai-chatgpt-responses",
  "github-copilot",
  "azure-openai-responses",
  "ollama",
];

const baseUrl = z
  .string()
  .trim()
  .superRefine((text, context) => {
    const message = problemOfBaseUrl(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .transform((text) => text.replace(/\/+$/, ""));

/** What keeps a text from being the address of a server. It never repeats the URL: people put keys into it. */
export function problemOfUrl(text: string, example: string, instead: string): string | undefined {
  if (!URL.canParse(text)) return `must be a URL, for example ${example}`;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must be an http or https URL";
  if (url.username !== "" || url.password !== "") return `must not hold credentials; ${instead}`;
  return undefined;
}

function problemOfBaseUrl(text: string): string | undefined {
  const problem = problemOfUrl(text, "https://api.openai.com/v1", "use apiKey or headers");
  if (problem !== undefined) return problem;
  const { search, hash } = new URL(text);
  return search !== "" || hash !== "" ? "must not have a query or fragment: paths are added to it" : undefined;
}

export const headers = z.record(
  z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a header name"),
  z
    .string()
    .trim()
    .regex(/^[\t\x20-\x7e\x80-\xff]*$/, "must be a header value"),
);

/** OpenClaw's list has `video`, too, which no message can hold. */
const inputSchema = z.array(z.enum([...MODALITIES, "video"])).transform(toModalities);

const providerSchema = z.strictObject({
  /** Only for providers that `models/known-providers.ts` does not know. */
  baseUrl: baseUrl.optional(),
  apiKey: secretText.regex(/^[\x21-\x7e]+$/, "must be printable ASCII without spaces").optional(),
  /** What it speaks. Default: what `models/known-providers.ts` says, else `openai-completions`. */
  api: oneOf(APIS, UNSUPPORTED_APIS).optional(),
  headers: headers.default({}),
  /** How long the provider may be silent. */
  timeoutSeconds: timerSeconds.default(300),
  models: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        contextWindow: z.int().positive().optional(),
        /** What it takes in. Absent: everything, and its provider refuses what it cannot. */
        input: inputSchema.optional(),
        /** `native` (which it is unless told otherwise): it keeps to a `response_format` by itself. `prompt`: it is asked to in words, and checked. */
        structuredOutput: z.enum(["native", "prompt"], { error: 'expected "native" or "prompt"' }).optional(),
      }),
    )
    .default([]),
});

const providerId = z.string().regex(/^[^/\s]+$/, 'a provider id must have no "/" and no space');

export const modelsSchema = z
  .strictObject({ providers: z.record(providerId, providerSchema).default({}) })
  .prefault({});
