import type { ClientOptions, RequestOptions } from "../options.ts";
import type { ResponsePromise, Send } from "../request.ts";
import type { Deleted } from "../sessions.ts";
import type { ChatCompletion, ListPage, ListParams, StoredCompletion, StoredMessage } from "../types.ts";
import type { ChatStream } from "./chat-stream.ts";
import { CHAT_PATH, type ChatCompletionParams, type ChatOptions, makeCreate } from "./create.ts";

export interface CompletionListParams extends ListParams {
  model?: string | undefined;
  /** Only those with all of these pairs. */
  metadata?: Record<string, string> | undefined;
}

/** All but `create` are about completions that were asked for with `store: true`. */
export interface ChatCompletions {
  /** Streams the answer. Read the stream or `abort()` it: left alone, it keeps its connection. */
  create(params: ChatCompletionParams & { stream: true }, options?: ChatOptions): ResponsePromise<ChatStream>;
  /** Waits for the whole answer. */
  create(
    params: ChatCompletionParams & { stream?: false | null },
    options?: ChatOptions,
  ): ResponsePromise<ChatCompletion>;
  create(params: ChatCompletionParams, options?: ChatOptions): ResponsePromise<ChatCompletion | ChatStream>;
  /** The oldest comes first. */
  list(params?: CompletionListParams, options?: RequestOptions): ResponsePromise<ListPage<StoredCompletion>>;
  retrieve(id: string, options?: RequestOptions): ResponsePromise<StoredCompletion>;
  update(
    id: string,
    changes: { metadata: Record<string, string> | null },
    options?: RequestOptions,
  ): ResponsePromise<StoredCompletion>;
  delete(id: string, options?: RequestOptions): ResponsePromise<Deleted>;
  /** The messages of its request. */
  messages(id: string, params?: ListParams, options?: RequestOptions): ResponsePromise<ListPage<StoredMessage>>;
}

export function createChatCompletions(send: Send, client: ClientOptions): ChatCompletions {
  const path = (...parts: string[]) => [...CHAT_PATH, ...parts];
  return {
    create: makeCreate(send, client) as ChatCompletions["create"],
    list: (query, options) => send(path(), options, { query }),
    retrieve: (id, options) => send(path(id), options),
    update: (id, changes, options) => send(path(id), options, { body: JSON.stringify(changes), isSafe: true }),
    delete: (id, options) => send(path(id), options, { method: "DELETE" }),
    messages: (id, query, options) => send(path(id, "messages"), options, { query }),
  };
}
