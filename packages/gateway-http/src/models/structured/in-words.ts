import type { ModelRequest } from "../model.ts";
import type { Structure } from "./structure.ts";

/** Of what the model wrote in vain, so much is shown to it again, in UTF-16 code units. */
const MAX_SHOWN = 32 * 1024;

/**
 * The request without its `response_format`, which servers that do not know it refuse, and with the same in words, at
 * the end of the system message: what stands before it stays the same for providers' caches. Pure.
 */
export function inWords(request: ModelRequest, structure: Structure): ModelRequest {
  const { response_format: _, ...params } = request.params;
  const [first, ...rest] = request.messages;
  const system =
    first?.role === "system"
      ? [{ ...first, content: `${first.content}\n\n${toWords(structure)}` }, ...rest]
      : [{ role: "system" as const, content: toWords(structure) }, ...request.messages];
  return { ...request, params, messages: system };
}

function toWords({ schema, isObject, about }: Structure): string {
  const kind = isObject ? "object" : "value";
  const only = "and with nothing else: no words before or after it, no code fences.";
  if (schema === undefined) return `Answer with one JSON ${kind}, ${only}`;
  return `Answer with one JSON value that is valid under the JSON Schema below, ${only}\n\nJSON Schema${about && ` (${about})`}:\n${schema}`;
}

/** The request once more, with the answer that was not valid and why. Pure. */
export function withProblems(request: ModelRequest, text: string, problems: readonly string[]): ModelRequest {
  const shown = text.slice(0, MAX_SHOWN).toWellFormed();
  const why = problems.map((problem) => `- ${problem}`).join("\n");
  const content = `That answer is not valid:\n${why}\n\nAnswer again, with the corrected JSON and nothing else.`;
  return {
    ...request,
    messages: [
      ...request.messages,
      // Providers refuse an empty message.
      ...(shown.trim() === "" ? [] : [{ role: "assistant" as const, content: shown }]),
      { role: "user", content },
    ],
  };
}
