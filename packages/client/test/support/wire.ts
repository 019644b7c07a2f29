import type { ChatCompletionChunk } from "@openclaw/protocol";

export const HEAD = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_764_000_000,
  model: "openclaw:main",
};
export const USAGE = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };

type Choice = ChatCompletionChunk["choices"][number];

export const frame = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
export const delta = (delta: Choice["delta"], finish_reason: Choice["finish_reason"] = null) =>
  frame({ ...HEAD, choices: [{ index: 0, delta, finish_reason }] });

export const START = delta({ role: "assistant", content: "" });
export const say = (content: string) => delta({ content });
export const finish = (reason: Choice["finish_reason"] = "stop") => delta({}, reason);
export const usage = frame({ ...HEAD, choices: [], usage: USAGE });
export const DONE = "data: [DONE]\n\n";

/** A whole stream that says "Hello". */
export const HELLO = START + say("Hel") + say("lo") + finish() + DONE;

export const error = (code: string, message = "It failed.", type = "api_error") => ({
  error: { message, type, param: null, code },
});

export const SSE = { "content-type": "text/event-stream; charset=utf-8" };

/** A body of these pieces, each given when the one before was taken. */
export function bodyOf(pieces: Iterable<string | Uint8Array>, failure?: Error): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream(
    {
      pull(controller) {
        const { done, value } = iterator.next();
        if (!done) controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
        else if (failure) controller.error(failure);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
