import type { ChatCompletionChunk } from "../types.ts";

type Chunks = AsyncGenerator<ChatCompletionChunk, void, undefined>;

/**
 * The chunks of all steps as those of one answer, for a reader who knows of no steps: under one id, without the calls,
 * which have been made, and with one end and one usage, the last step's. The texts of the steps follow each other.
 */
export function joinSteps(chunks: Chunks): Chunks {
  const joined = join(chunks);
  const leave = joined.return.bind(joined);
  // Theirs is first: `return()` of a generator alone waits for the chunk that is being waited for.
  joined.return = async (value) => {
    await chunks.return();
    return leave(value);
  };
  return joined;
}

async function* join(chunks: Chunks): Chunks {
  let head: ChatCompletionChunk | undefined;
  // Whether a step was the last one is known when nothing follows.
  let end: ChatCompletionChunk["choices"] = [];
  let total: ChatCompletionChunk["usage"];
  for await (const { choices, usage, openclaw, ...of } of chunks) {
    head ??= { ...of, choices: [] } as ChatCompletionChunk;
    total = usage ?? total;
    const said: ChatCompletionChunk["choices"] = [];
    for (const { delta, finish_reason, ...choice } of choices) {
      if (finish_reason) end = [{ ...choice, delta: {}, finish_reason } as (typeof said)[number]];
      const { tool_calls: _, ...rest } = delta ?? {};
      // What the agent does comes with an empty delta, for readers that need one.
      if (openclaw || Object.keys(rest).length > 0) {
        said.push({ ...choice, delta: rest, finish_reason: null } as (typeof said)[number]);
      }
    }
    if (said.length > 0) yield { ...head, choices: said, ...(openclaw && { openclaw }) };
  }
  if (!head) return;
  yield { ...head, choices: end };
  if (total) yield { ...head, usage: total };
}
