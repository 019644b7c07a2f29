import type { ChatCompletion, ChatCompletionRequestInput } from "@openclaw/protocol";
import { HEADERS } from "@openclaw/protocol/wire";
import { misuse, type RequestOptions } from "../options.ts";
import { type Send, sendForJson } from "../request.ts";
import { ChatStream } from "./chat-stream.ts";

/** The body of the request, under OpenAI's names. */
export type ChatCompletionParams = ChatCompletionRequestInput;

export interface ChatOptions extends RequestOptions {
  /** The agent that answers; beats `model`. */
  agentId?: string | undefined;
  /** The session to go on with, any text. Without it the gateway derives one from `user`, or keeps none. */
  sessionKey?: string | undefined;
}

export interface ChatCompletions {
  /** Streams the answer. Read the stream or `abort()` it: left alone, it keeps its connection. */
  create(params: ChatCompletionParams & { stream: true }, options?: ChatOptions): Promise<ChatStream>;
  /** Waits for the whole answer. */
  create(params: ChatCompletionParams & { stream?: false | null }, options?: ChatOptions): Promise<ChatCompletion>;
  create(params: ChatCompletionParams, options?: ChatOptions): Promise<ChatCompletion | ChatStream>;
}

export function createChatCompletions(send: Send): ChatCompletions {
  async function create(params: ChatCompletionParams, options: ChatOptions = {}): Promise<ChatCompletion | ChatStream> {
    const call = { path: "/chat/completions", body: params, headers: toChatHeaders(options) };
    if (!params.stream) return sendForJson(send, call, options);
    return new ChatStream(await send({ ...call, accept: "text/event-stream" }, options));
  }
  return { create: create as ChatCompletions["create"] };
}

function toChatHeaders({ agentId, sessionKey }: ChatOptions): Record<string, string | undefined> {
  return { [HEADERS.agentId]: agentId, [HEADERS.sessionKey]: sessionKey && encodeKey(sessionKey) };
}

function encodeKey(sessionKey: string): string {
  try {
    return encodeURIComponent(sessionKey);
  } catch {
    return misuse("`sessionKey` holds half of a surrogate pair.");
  }
}
