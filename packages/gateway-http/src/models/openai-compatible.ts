import type { AgentEvent } from "../chat/run-event.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { createChunkDecoder } from "./chunk-decoder.ts";
import {
  type CallState,
  createCallState,
  type ForeignChunk,
  hasNamelessCall,
  refuseFiltered,
  toClosingEvents,
  toEvents,
} from "./chunk-events.ts";
import type { StreamModel } from "./model.ts";
import type { ModelCall } from "./model-call.ts";
import type { PostResponse } from "./post.ts";
import { toProviderError } from "./provider-error.ts";
import { readStart, readWhole } from "./read-body.ts";
import { toRequestBody, toThoughtCarry } from "./request-body.ts";
import { toTransportError } from "./transport-error.ts";

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
  /** Begins a call: what goes to the provider is sent over it. */
  startCall(stream: boolean): ModelCall;
  redact(text: string): string;
}

/**
 * A model behind any server that speaks OpenAI's Chat Completions: OpenAI, Ollama, vLLM, llama.cpp, OpenRouter.
 * @see https://platform.openai.com/docs/api-reference/chat/create
 */
export function createOpenAICompatible({ provider, model, startCall, redact }: OpenAICompatibleOptions): StreamModel {
  const { origin, pathname, hostname } = new URL(`${provider.baseUrl.replace(/\/+$/, "")}/chat/completions`);
  const newTokenLimitName = /(^|\.)openai\.(com|azure\.com)$/.test(hostname);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (provider.apiKey !== undefined) headers.authorization = `Bearer ${provider.apiKey}`;
  for (const [name, value] of Object.entries(provider.headers)) headers[name.toLowerCase()] = value;

  const api = `openai-completions/${provider.id}`;

  const refused = (status: number, body: string, retryAfter?: string) =>
    toProviderError({ status, body, retryAfter, provider: provider.id, model, redact });

  // One generator and no stream between the socket and the run: each layer would cost every token its promises.
  return async function* streamModel(request, { signal }) {
    let response: PostResponse | undefined;
    const call = startCall(request.stream);
    const isStructured = request.params.response_format !== undefined;
    try {
      const body = toRequestBody(request, { model, newTokenLimitName, api });
      response = await call.post(origin, { path: pathname, headers, body, timeoutMs: provider.timeoutMs, signal });
      if (response.status !== 200) {
        const retryAfter = response.headers["retry-after"];
        throw refused(response.status, await readStart(response), retryAfter);
      }
      // Some servers ignore `stream` and answer in one piece: what was sent decides, not what was asked.
      const type = response.headers["content-type"] ?? "";
      if (/\bjson\b/i.test(type)) {
        const text = await readWhole(response);
        const state = createCallState(isStructured);
        const events = readCompletion(text, state, api, refused);
        call.end(events, state.origin);
        yield events;
        return;
      }
      if (!/^text\/event-stream\b/i.test(type)) {
        throw bad(`The provider ${provider.id} answered with neither JSON nor events.`);
      }
      const decoder = createChunkDecoder((error) => refused(statusOf(error), JSON.stringify({ error })), isStructured);
      for (let bytes = await response.read(); bytes !== undefined; bytes = await response.read()) {
        const events = decoder.decode(bytes);
        if (decoder.done) {
          response.finish();
          // Servers that leave out the finish reason have at least said something.
          const { finishReason, spoke } = decoder.state;
          if (finishReason === undefined && !spoke) throw bad("The provider's stream ended without an answer.");
          const last = [...events, ...closing(decoder.state, api)];
          call.end(last, decoder.state.origin);
          yield last;
          return;
        }
        if (events.length > 0) yield events;
        if (decoder.failure !== undefined) throw decoder.failure;
      }
      // A finish reason and then the end of the stream is what servers without [DONE] do; without either it was cut.
      if (decoder.state.finishReason === undefined) throw bad("The provider's stream ended before the answer did.");
      const last = closing(decoder.state, api);
      call.end(last, decoder.state.origin);
      yield last;
    } catch (error) {
      const failure = toTransportError(error, { provider: provider.id, heard: response !== undefined, signal });
      call.fail(failure);
      throw failure;
    } finally {
      call.leave(signal);
      // Left in the middle: nobody reads on, so the provider is not to write on. After `finish()` this has no effect.
      response?.leave();
    }
  };
}

type Refused = (status: number, body: string) => GatewayError;

function bad(message: string): GatewayError {
  return new GatewayError("provider_bad_response", message);
}

function readCompletion(text: string, state: CallState, api: string, refused: Refused): AgentEvent[] {
  let completion: ForeignChunk;
  try {
    completion = JSON.parse(text) as ForeignChunk;
  } catch {
    throw bad("The provider's answer is not JSON.");
  }
  if (completion?.error != null) throw refused(statusOf(completion.error), text);
  const choices = completion?.choices;
  if (!Array.isArray(choices) || choices.length === 0 || choices[0]?.message == null) {
    throw bad("The provider's answer holds no message.");
  }
  const events = toEvents(completion, state);
  return [...events, ...closing(state, api)];
}

function closing(state: CallState, api: string): AgentEvent[] {
  refuseFiltered(state);
  if (hasNamelessCall(state)) throw bad("The provider's answer holds a tool call without a name.");
  // Models that think before they call refuse the results when their thoughts do not come back.
  return toClosingEvents(state, state.reasoningName && toThoughtCarry(api, state.reasoningName));
}

/** The status hidden in an error object inside a 200 answer, as OpenRouter sends it; else a bad answer. */
function statusOf(error: unknown): number {
  const { code, status } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  for (const value of [status, code]) if (typeof value === "number" && value >= 400 && value < 600) return value;
  return 500;
}
