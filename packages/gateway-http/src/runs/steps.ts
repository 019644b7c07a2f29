import { messageSchema } from "@openclaw/protocol";
import { parseJsonObject } from "../chat/json-object.ts";
import type { StepEvent } from "../chat/run-event.ts";
import type { AssistantTurnMessage } from "../chat/turn.ts";

type Step = StepEvent["message"];

/** What every provider takes as the name of a tool. */
const TOOL_NAME = /^[\w-]{1,64}$/;

/**
 * An agent's own steps, in the order in which a model is to hear them again. Checked and copied: they are kept and sent
 * to models, where a broken one would spoil every later turn of its session.
 */
export class Steps {
  readonly #kept: Step[] = [];
  /** Ids of the calls of the last step that have no result yet. */
  #open = new Set<string>();

  get kept(): readonly Step[] {
    return this.#kept;
  }

  /** @throws TypeError for what is neither calls of tools nor the result of one of the last calls */
  add(message: Step): void {
    const step = toStep(message);
    if (step.role === "assistant") {
      this.#open = new Set(step.tool_calls?.map(({ id }) => id));
      if (this.#open.size !== step.tool_calls?.length) refuse("two of its calls have the same id");
    } else if (!this.#open.delete(step.tool_call_id)) {
      refuse("the result is that of no open call");
    }
    this.#kept.push(step);
  }
}

function toStep(message: Step): Step {
  const { data } = messageSchema.safeParse(message);
  // Members in this order, always: prompts are the same to the byte.
  if (data?.role === "tool" && typeof data.content === "string") {
    return { role: "tool", tool_call_id: data.tool_call_id, content: data.content };
  }
  if (data?.role !== "assistant" || !data.tool_calls?.length) return refuse("it is neither calls nor a result");
  if (data.content != null && typeof data.content !== "string") return refuse("its content is no text");
  for (const call of data.tool_calls) {
    if (call.type !== "function" || !TOOL_NAME.test(call.function.name)) return refuse("a tool's name cannot be one");
    if (!parseJsonObject(call.function.arguments)) return refuse("the arguments of a call are not a JSON object");
  }
  const { carry } = message as AssistantTurnMessage;
  const { content = null, tool_calls, reasoning_content } = data;
  return structuredClone({
    role: "assistant",
    content,
    tool_calls,
    ...(reasoning_content && { reasoning_content }),
    ...(carry && { carry }),
  });
}

function refuse(reason: string): never {
  throw new TypeError(`the agent yielded a step that cannot be kept: ${reason}`);
}
