/** What a model says when it is asked once, whatever wire it stands behind. */
export interface Saying {
  thoughts?: readonly string[];
  text?: readonly string[];
  calls?: readonly { id: string; name: string; args: readonly string[] }[];
  /** Why it ends, when neither by itself nor for its calls. */
  finish?: "length" | "content_filter";
  usage?: { input: number; cached: number; output: number; reasoning: number };
  /** What happens in the place of the end. */
  instead?: "stalls" | "is-cut" | "ends-early" | "fails";
}

/** How a provider refuses. */
export type Refusal = "auth" | "unknown-model" | "rate" | "server" | "overloaded" | "too-long";

/** A piece of the talk as a provider heard it. */
export type Heard =
  | { from: "user" | "system" | "assistant"; text: string }
  | { from: "user"; image: string }
  | { from: "assistant"; thought: string; signature?: string }
  | { from: "assistant"; call: string; name: string; input: unknown }
  | { from: "tool"; result: string; text: string };

export interface Asked {
  model: string;
  talk: Heard[];
  tools: string[];
  schema: unknown;
  /** What else was asked for, where it was. */
  asked: { maxTokens: number | undefined; mustCall: string | undefined };
  /** The whole body. */
  json: Json;
  headers: Record<string, string | string[] | undefined>;
  /** The port the request came from: the same one means the same connection. */
  peerPort: number | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: stand-ins read bodies of five providers, each only where it is told to.
export type Json = any;

/** One provider's wire: how it is written and read. */
export interface Wire {
  readonly name: string;
  /** A model that this wire's provider really has. */
  readonly model: string;
  /** Of `models.providers.<name>`, but for the address. */
  readonly provider: { api: string; apiKey: string };
  /** Where the address ends. */
  readonly basePath: string;
  readonly contentType: string;
  /** The events of an answer, before its end and of its end. */
  frames(saying: Saying): { body: (string | Uint8Array)[]; end: (string | Uint8Array)[] };
  /** An event that says the model is overloaded. */
  failure(): string | Uint8Array;
  /** An answer that is not streamed. */
  whole(saying: Saying): unknown;
  refusal(kind: Refusal): { status: number; body: unknown; headers?: Record<string, string> };
  read(json: Json, path: string): Omit<Asked, "json" | "headers" | "peerPort"> & { stream: boolean };
}

export const SIGNATURE = "c2lnbmF0dXJl";

export const sse = (value: unknown, event?: string) =>
  `${event ? `event: ${event}\n` : ""}data: ${JSON.stringify(value)}\n\n`;

export const argsOf = (call: { args: readonly string[] }) => call.args.join("");
