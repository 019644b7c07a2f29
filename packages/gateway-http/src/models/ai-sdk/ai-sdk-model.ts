import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { AgentEvent } from "../../chat/run-event.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { StreamModel } from "../model.ts";
import type { ModelCall } from "../model-call.ts";
import { toProviderError } from "../provider-error.ts";
import type { ResolvedModel } from "../resolve-provider.ts";
import { type CreateSdkModel, libraryOf, type SdkApi } from "./apis.ts";
import { closing, createReadState, finish, type ReadState, readPart } from "./read-parts.ts";
import { refuseIgnored } from "./refuse-ignored.ts";
import { toCallOptions } from "./to-call-options.ts";
import { toSdkError } from "./to-error.ts";
import { together } from "./together.ts";
import { createTransport, type Transport } from "./transport.ts";
import { isUnknownNews } from "./unknown-news.ts";

export interface AiSdkModelOptions {
  provider: ResolvedModel["provider"];
  api: SdkApi;
  model: string;
  /** Loads the library, once for all models. */
  load(api: SdkApi): Promise<CreateSdkModel>;
  /** Begins a call: what goes to the provider is sent over it. */
  startCall(stream: boolean): ModelCall;
  redact(text: string): string;
}

/** Given to a library that insists on a key where the configured headers authenticate. It is never sent. */
const NO_KEY = "none";

/** A model behind a wire that a library of the AI SDK speaks. What is sent and received goes over our own connections. */
export function createAiSdkModel({ provider, api, model, load, startCall, redact }: AiSdkModelOptions): StreamModel {
  const { id, baseUrl, apiKey = NO_KEY, aws } = provider;
  const { key } = libraryOf(api);
  const carry = `${api}/${id}`;
  const hasKey = provider.apiKey !== undefined || aws !== undefined;
  const refused = (status: number, body: string, retryAfter?: string) =>
    toProviderError({ status, body, retryAfter, provider: id, model, redact });

  return async function* streamModel(request, { signal }) {
    const options = { ...toCallOptions(request, api, carry), abortSignal: signal };
    const call = startCall(request.stream);
    const transport = createTransport({ provider, hasKey, post: call.post, refused, signal });
    const state = createReadState(key);
    try {
      const create = await loadFor(api, load);
      const library = create({ baseUrl, apiKey, aws, fetch: transport.fetch }, model);
      const answer = request.stream ? readStream : readWhole;
      yield* answer(library, options, state, transport);
      const last = closing(state, carry);
      call.end(last, state.origin);
      yield last;
    } catch (error) {
      const failure = toSdkError(error, { provider: id, refused, signal });
      call.fail(failure);
      throw failure;
    } finally {
      call.leave(signal);
      // Left in the middle: nobody reads on, so the provider is not to write on. After `finish()` this has no effect.
      transport.leave();
    }
  };
}

async function loadFor(api: SdkApi, load: AiSdkModelOptions["load"]): Promise<CreateSdkModel> {
  try {
    return await load(api);
  } catch (error) {
    throw new GatewayError("provider_error", `The package ${libraryOf(api).package} cannot be loaded.`, {
      retry: false,
      cause: error,
    });
  }
}

async function* readStream(
  library: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  state: ReadState,
  transport: Transport,
): AsyncGenerator<readonly AgentEvent[]> {
  const { stream } = await library.doStream(options);
  for await (const parts of together<LanguageModelV4StreamPart>(stream)) {
    const events: AgentEvent[] = [];
    try {
      for (const part of parts) {
        if (part.type === "error") {
          if (isUnknownNews(part.error)) continue;
          throw part.error;
        }
        if (part.type === "stream-start") refuseIgnored(part.warnings);
        readPart(part, state, events);
      }
    } finally {
      // What was said before a failure still counts.
      if (events.length > 0) yield events;
    }
    if (!state.finished) continue;
    transport.finish();
    return;
  }
  throw new GatewayError("provider_bad_response", "The provider's stream ended before the answer did.");
}

async function* readWhole(
  library: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  state: ReadState,
): AsyncGenerator<readonly AgentEvent[]> {
  const { content, finishReason, usage, warnings, response } = await library.doGenerate(options);
  refuseIgnored(warnings);
  finish(finishReason, usage, state);
  state.origin = { id: response?.id, model: response?.modelId };
  const events: AgentEvent[] = [];
  for (const part of content) readPart(part, state, events);
  if (events.length > 0) yield events;
}
