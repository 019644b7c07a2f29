import type { Dispatcher, request } from "undici";
import type { AgentEvent } from "../chat/run-event.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createChunkDecoder } from "./chunk-decoder.ts";
import { createCallState, type ForeignChunk, toClosingEvents, toEvents } from "./chunk-events.ts";
import type { StreamModel } from "./model.ts";
import { toProviderError } from "./provider-error.ts";
import { toRequestBody } from "./request-body.ts";
import { toTransportError } from "./transport-error.ts";

/** Most bytes read of a provider's error. */
const MAX_ERROR_BYTES = 64 * 1024;
/** Most bytes read of an answer that is not streamed. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** After `[DONE]` the provider has this long to end its response, so that the connection can be used again. */
const TRAILER_MS = 1000;

/** What calls providers over HTTP. */
export interface HttpClient {
  request: typeof request;
  dispatcher: Dispatcher;
}

export interface OpenAICompatibleOptions {
  provider: {
    id: string;
    /** Up to and with `/v1`. */
    baseUrl: string;
    apiKey: string | undefined;
    headers: Readonly<Record<string, string>>;
    /** How long the provider may be silent, in milliseconds. */
    timeoutMs: number;
  };
  model: string;
  loadHttp(): Promise<HttpClient>;
  redact(text: string): string;
}

/**
 * A model behind any server that speaks OpenAI's Chat Completions: OpenAI, Ollama, vLLM, llama.cpp, OpenRouter.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export function createOpenAICompatible({ provider, model, loadHttp, redact }: OpenAICompatibleOptions): StreamModel {
  const url = `${provider.baseUrl.replace(/\/+$/, "")}/chat/completions`;
  const newTokenLimitName = /(^|\.)openai\.(com|azure\.com)$/.test(new URL(url).hostname);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (provider.apiKey !== undefined) headers.authorization = `Bearer ${provider.apiKey}`;
  for (const [name, value] of Object.entries(provider.headers)) headers[name.toLowerCase()] = value;

  const refused = (status: number, body: string, retryAfter?: string) =>
    toProviderError({ status, body, retryAfter, provider: provider.id, model, redact });

  return async function* streamModel(request, { signal }) {
    let heard = false;
    try {
      const { request: send, dispatcher } = await loadHttp();
      const response = await send(url, {
        method: "POST",
        headers,
        body: toRequestBody(request, model, newTokenLimitName),
        dispatcher,
        signal,
        headersTimeout: provider.timeoutMs,
        bodyTimeout: provider.timeoutMs,
      });
      heard = true;
      const { statusCode, body } = response;
      if (statusCode !== 200) {
        const retryAfter = response.headers["retry-after"];
        throw refused(statusCode, await readText(body, MAX_ERROR_BYTES), String(retryAfter ?? "") || undefined);
      }
      // Some servers ignore `stream` and answer in one piece: what was sent decides, not what was asked.
      const type = String(response.headers["content-type"] ?? "");
      if (/\bjson\b/i.test(type)) yield readCompletion(await readText(body, MAX_ANSWER_BYTES), refused);
      else if (/^text\/event-stream\b/i.test(type)) yield* readStream(body, refused);
      else {
        cut(body);
        throw new GatewayError(
          "provider_bad_response",
          `The provider ${provider.id} answered with neither JSON nor events.`,
        );
      }
    } catch (error) {
      throw toTransportError(error, { provider: provider.id, heard, signal });
    }
  };
}

type Refused = (status: number, body: string) => GatewayError;
type Body = Dispatcher.ResponseData["body"];

/** Closes the connection. The body's `error` about that is no news, but unheard it would end the process. */
function cut(body: Body): void {
  body.on("error", () => {}).destroy();
}

async function* readStream(body: Body, refused: Refused): AsyncGenerator<readonly AgentEvent[]> {
  const decoder = createChunkDecoder((error) => refused(statusOf(error), JSON.stringify({ error })));
  try {
    // Without `destroyOnReturn: false` leaving this loop at [DONE] would close a connection that can be used again.
    for await (const bytes of body.iterator({ destroyOnReturn: false })) {
      const events = decoder.decode(bytes as Buffer);
      if (decoder.done) {
        readTrailer(body);
        yield [...events, ...closing(decoder.state)];
        return;
      }
      if (events.length > 0) yield events;
      if (decoder.failure !== undefined) throw decoder.failure;
    }
  } finally {
    // Left in the middle: nobody reads on, so the provider is not to write on.
    if (!decoder.done) cut(body);
  }
  // A finish reason and then the end of the stream is what servers without [DONE] do; without either it was cut.
  if (decoder.state.finishReason === undefined) {
    throw new GatewayError("provider_bad_response", "The provider's stream ended before the answer did.");
  }
  yield closing(decoder.state);
}

function readTrailer(body: Body): void {
  const late = setTimeout(() => body.destroy(), TRAILER_MS).unref();
  body.once("close", () => clearTimeout(late));
  // The answer is whole: what happens to its connection now is nobody's error.
  body.on("error", () => {}).resume();
}

function readCompletion(text: string, refused: Refused): AgentEvent[] {
  let completion: ForeignChunk;
  try {
    completion = JSON.parse(text) as ForeignChunk;
  } catch {
    throw new GatewayError("provider_bad_response", "The provider's answer is not JSON.");
  }
  if (completion?.error != null) throw refused(statusOf(completion.error), text);
  const choices = completion?.choices;
  if (!Array.isArray(choices) || choices.length === 0 || choices[0]?.message == null) {
    throw new GatewayError("provider_bad_response", "The provider's answer holds no message.");
  }
  const state = createCallState();
  const events = toEvents(completion, state);
  return [...events, ...closing(state)];
}

function closing(state: ReturnType<typeof createCallState>): AgentEvent[] {
  if (state.finishReason === "content_filter" && !state.spoke) {
    throw new GatewayError("content_filter", "The provider's content filter refused this request.", {
      param: "messages",
    });
  }
  return toClosingEvents(state);
}

/** The status hidden in an error object inside a 200 answer, as OpenRouter sends it; else a bad answer. */
function statusOf(error: unknown): number {
  const { code, status } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  for (const value of [status, code]) if (typeof value === "number" && value >= 400 && value < 600) return value;
  return 500;
}

async function readText(body: Body, limit: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += (piece as Buffer).length;
    if (size > limit) {
      if (limit === MAX_ERROR_BYTES) break;
      throw new GatewayError("provider_bad_response", `The provider's answer is larger than ${limit} bytes.`);
    }
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString("utf8");
}
