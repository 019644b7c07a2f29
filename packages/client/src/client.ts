import { type ChatCompletions, createChatCompletions } from "./chat/completions.ts";
import { createModels, type Models } from "./models.ts";
import { type ClientOptions, checkOptions } from "./options.ts";
import { createSend } from "./request.ts";
import { createSessions, type Sessions } from "./sessions.ts";

export interface Client {
  readonly chat: { readonly completions: ChatCompletions };
  readonly models: Models;
  readonly sessions: Sessions;
}

/**
 * Makes a client of a gateway. Nothing is sent until it is used.
 *
 * @example
 * ```ts
 * const client = createClient({ baseUrl: "http://127.0.0.1:18789", token: "…" });
 * const stream = await client.chat.completions.create({
 *   model: "openclaw:main",
 *   messages: [{ role: "user", content: "Hello!" }],
 *   stream: true,
 * });
 * for await (const chunk of stream) console.log(chunk.choices[0]?.delta.content);
 * ```
 * @throws OpenClawError when the options cannot work
 */
export function createClient(options: ClientOptions): Client {
  checkOptions(options);
  const send = createSend(options);
  return {
    chat: { completions: createChatCompletions(send, options) },
    models: createModels(send),
    sessions: createSessions(send),
  };
}
