import type { RunEvent, StepEvent } from "../chat/run-event.ts";
import { textOf } from "../chat/turn.ts";
import { toArguments } from "./call-arguments.ts";

type Step = StepEvent["message"];

/** What an agent's tools do in one run, as clients are told of it. */
export class ToolCalls {
  /** The agent's own calls, by id. */
  readonly #calls = new Map<string, { name: string; arguments: string }>();
  /** Names of tools without a step, by id. */
  readonly #bare = new Map<string, string>();
  /** Ids of those that failed. */
  readonly #failed = new Set<string>();

  /** @param steps those that were made before anybody was told */
  constructor(steps: readonly Step[]) {
    for (const step of steps) this.#note(step);
  }

  /** What is to be told of an event: calls come before their tools start, results when they have ended. */
  take(event: RunEvent): Record<string, unknown> | undefined {
    switch (event.type) {
      case "step":
        this.#note(event.message);
        return event.message.role === "tool" ? this.#resultOf(event.message) : undefined;
      case "tool-start":
        return this.#start(event);
      case "tool-end":
        return this.#end(event);
      default:
        return undefined;
    }
  }

  #note(step: Step): void {
    if (step.role !== "assistant") return;
    for (const call of step.tool_calls ?? []) if (call.type === "function") this.#calls.set(call.id, call.function);
  }

  #start({ id: toolCallId, name }: { id: string; name: string }): Record<string, unknown> {
    const call = this.#calls.get(toolCallId);
    // An agent of code may tell of tools without the steps that they are.
    if (!call) this.#bare.set(toolCallId, name);
    return { phase: "start", name, toolCallId, args: call ? toArguments(call.arguments) : {} };
  }

  #end({ id: toolCallId, ok }: { id: string; ok: boolean }): Record<string, unknown> | undefined {
    const name = this.#bare.get(toolCallId);
    if (name !== undefined) return { phase: "result", name, toolCallId, result: { content: [] }, isError: !ok };
    if (!ok) this.#failed.add(toolCallId);
    return undefined;
  }

  #resultOf({ tool_call_id: toolCallId, content }: Extract<Step, { role: "tool" }>): Record<string, unknown> {
    const name = this.#calls.get(toolCallId)?.name ?? "";
    const result = { content: [{ type: "text", text: textOf(content) }] };
    return { phase: "result", name, toolCallId, result, isError: this.#failed.has(toolCallId) };
  }
}
