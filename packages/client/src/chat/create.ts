import { HEADERS } from "@openclaw/protocol/wire";
import { createAttempt } from "../attempt.ts";
import {
  type ClientOptions,
  encode,
  IDLE_TIMEOUT,
  RETRIES,
  type RequestOptions,
  toIdempotencyKey,
} from "../options.ts";
import { type Call, type Send, toResponsePromise } from "../request.ts";
import type { ChatCompletion, ChatCompletionRequestInput } from "../types.ts";
import { ChatStream } from "./chat-stream.ts";
import { RESUME_WITHIN } from "./read-on.ts";

/** The body of the request, under OpenAI's names. */
export type ChatCompletionParams = ChatCompletionRequestInput;

export interface ChatOptions extends RequestOptions {
  /** The agent that answers; beats `model`. */
  agentId?: string | undefined;
  /** The session to go on with, any text. Without it the gateway derives one from `user`, or keeps none. */
  sessionKey?: string | undefined;
  /**
   * Names this call, so that sending it again, which this client does after a timeout or a broken connection, finds the
   * run there is and starts no other. Give one of your own, 1 to 255 visible ASCII characters, to find the answer again
   * later, within a day and with the same parameters. `false` sends none: the gateway then keeps nothing of the call,
   * an abort ends the run at once in every case, a stream that was cut is not resumed, and what is sent again may run
   * twice.
   * @defaultValue a new one for each call
   */
  idempotencyKey?: string | false | undefined;
  /**
   * Adds what the agent does to a stream: a chunk with an empty delta has an `openclaw` member when a tool of the
   * agent's own starts or ends. Without a stream it does nothing.
   * @defaultValue false
   */
  activity?: boolean | undefined;
}

/** Where chat completions are. */
export const CHAT_PATH = ["chat", "completions"] as const;

/** Of each time it comes back. */
const AGAIN = { maxRetries: 0, timeout: RESUME_WITHIN };

/** Milliseconds that telling the gateway of an abort may take. */
const CANCEL_WITHIN = 5_000;

export function makeCreate(send: Send, client: ClientOptions) {
  return (params: ChatCompletionParams, options?: ChatOptions) =>
    toResponsePromise<ChatCompletion | ChatStream>(create(params, options));

  async function create(params: ChatCompletionParams, options: ChatOptions = {}) {
    const { agentId, sessionKey, activity, signal: outer, headers } = options;
    const { maxRetries = client.maxRetries ?? RETRIES, idleTimeout = client.idleTimeout ?? IDLE_TIMEOUT } = options;
    const idempotencyKey = toIdempotencyKey(options.idempotencyKey);
    const call = {
      body: JSON.stringify(params),
      headers: {
        [HEADERS.agentId]: agentId,
        [HEADERS.sessionKey]: sessionKey && encode(sessionKey),
        [HEADERS.events]: activity ? "1" : undefined,
      },
      idempotencyKey,
      isSafe: idempotencyKey ? true : undefined,
    } satisfies Call;
    if (!params.stream) return send<ChatCompletion>(CHAT_PATH, options, call).withResponse();

    // Of the whole stream, over as many connections as it takes.
    const scope = createAttempt(outer);
    const { signal, abort, release } = scope;
    const open = (lastEventId?: string, limits: RequestOptions = AGAIN) =>
      send<Response>(
        CHAT_PATH,
        { ...options, ...limits, signal },
        { ...call, headers: { ...call.headers, [HEADERS.lastEventId]: lastEventId }, stream: true },
      );
    // Leaving alone lets a run with a key go on until nobody can come back any more, half a minute by default. The
    // gateway knows it by its id only: an abort before the headers, and so of any answer that is not streamed, cannot
    // but leave it at that. To send the request again for the id might start what was to be ended.
    const cancel = (runId: string) => {
      const limits = { headers, maxRetries: 0, timeout: CANCEL_WITHIN };
      send([...CHAT_PATH, runId, "cancel"], limits, { body: "{}", keepalive: true }).catch(() => {});
    };
    try {
      const response = await open(undefined, options);
      const source = { response, signal, idleTimeout, abort, release, maxRetries };
      return { data: new ChatStream({ ...source, ...(idempotencyKey && { open, cancel }) }), response };
    } catch (error) {
      release();
      // Of the caller's signal, not of the attempt that followed it.
      signal.throwIfAborted();
      throw error;
    }
  }
}
