import type { Usage } from "@openclaw/protocol";
import type { AgentEvent } from "../../chat/run-event.ts";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { ModelRequest, StreamModel } from "../model.ts";
import { type Checked, checkAnswer } from "./check-answer.ts";
import { inWords, withProblems } from "./in-words.ts";
import { type Structure, toStructure } from "./structure.ts";

/** Longest answer that is held back to be checked, with its reasoning, in UTF-16 code units. */
const MAX_HELD_LENGTH = 4 * 1024 * 1024;

export interface StructureCall {
  signal: AbortSignal;
  /** Whether this is the last time that the run may ask: then an answer that is not valid stands for itself. */
  isLast?: boolean;
}

/**
 * A model that keeps to `response_format` although its server does not: it is asked in words, and its answer is held
 * back until it was checked. One that is not valid is put right once by the model itself; then it becomes a refusal. A
 * call of tools is no answer, and goes on as it comes; so does an answer that was cut short, which says so itself.
 * @param only the one format that its server does not know
 */
export function withStructure(stream: StreamModel, only?: "json_object"): StreamModel {
  return (request, call: StructureCall) => {
    const structure = toStructure(request.params.response_format);
    return structure && (only === undefined || structure.isObject)
      ? answer(stream, inWords(request, structure), structure, call)
      : stream(request, call);
  };
}

async function* answer(
  stream: StreamModel,
  request: ModelRequest,
  structure: Structure,
  call: StructureCall,
): AsyncGenerator<readonly AgentEvent[]> {
  const first = new Held();
  let isCall = false;
  for await (const events of stream(request, call)) {
    if (isCall) yield events;
    else {
      first.add(events);
      isCall = first.callsTools;
      if (isCall) yield first.events;
    }
  }
  if (isCall) return;
  if (first.isCutShort) return yield first.events;
  let checked = await checkAnswer(first.text, structure);
  if ("json" in checked) return yield first.toAnswer(checked.json);
  const again = call.isLast || !checked.mayRepair ? undefined : repair(request, first, checked.problems);
  if (!again) return yield first.toRefusal(checked);

  const second = new Held();
  for await (const events of stream(again, call)) second.add(events);
  second.usage.unshift(...first.usage);
  if (second.isCutShort && !second.callsTools) return yield second.toAnswer(second.text);
  // It was to write, not to act.
  if (second.callsTools) checked = { problems: ["It calls tools."], mayRepair: false };
  else checked = await checkAnswer(second.text, structure);
  yield "json" in checked ? second.toAnswer(checked.json) : second.toRefusal(checked);
}

/** The request to put it right, within what the caller's limit leaves; `undefined` when it leaves nothing. */
function repair(request: ModelRequest, first: Held, problems: readonly string[]): ModelRequest | undefined {
  const asked = withProblems(request, first.text, problems);
  const limit = request.params.max_completion_tokens;
  if (typeof limit !== "number") return asked;
  const left = limit - first.usage.reduce((sum, { completion_tokens }) => sum + completion_tokens, 0);
  return left > 0 ? { ...asked, params: { ...asked.params, max_completion_tokens: left } } : undefined;
}

/** What a model said, before anybody hears of it. */
class Held {
  readonly events: AgentEvent[] = [];
  readonly usage: Usage[] = [];
  text = "";
  callsTools = false;
  #end: Extract<AgentEvent, { type: "end" }> = { type: "end", finishReason: "stop" };
  #length = 0;

  get isCutShort(): boolean {
    const { finishReason } = this.#end;
    return finishReason === "length" || finishReason === "content_filter";
  }

  add(events: readonly AgentEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      if (event.type === "text-delta") this.text += event.text;
      else if (event.type === "tool-call-start") this.callsTools = true;
      else if (event.type === "usage") this.usage.push(event.usage);
      else if (event.type === "end") this.#end = event;
      if ("text" in event) this.#length += event.text.length;
    }
    if (this.#length > MAX_HELD_LENGTH) {
      throw new GatewayError("provider_bad_response", "The model wrote JSON without an end.");
    }
  }

  /** The answer with this text. */
  toAnswer(text: string): readonly AgentEvent[] {
    const thoughts = this.events.filter(({ type }) => type === "reasoning-delta");
    return [...thoughts, { type: "text-delta", text }, ...this.#toUsage(), this.#end];
  }

  /** What is said in its place. */
  toRefusal({ problems }: Extract<Checked, { problems: unknown }>): readonly AgentEvent[] {
    const text = `The model did not answer with the JSON that was asked for. ${problems.join(" ")}`;
    return [{ type: "refusal-delta", text }, ...this.#toUsage(), { type: "end", finishReason: "stop" }];
  }

  #toUsage(): readonly AgentEvent[] {
    return this.usage.map((usage) => ({ type: "usage", usage }));
  }
}
