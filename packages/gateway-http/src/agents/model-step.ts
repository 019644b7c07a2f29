import { randomUUID } from "node:crypto";
import type { FinishReason, ToolCall, Usage } from "@openclaw/protocol";
import { parseJsonObject } from "../chat/json-object.ts";
import type { AgentEvent } from "../chat/run-event.ts";
import { append } from "../chat/to-completion.ts";
import type { AssistantTurnMessage, Carry } from "../chat/turn.ts";
import { addUsage } from "../chat/usage.ts";
import { GatewayError } from "../errors/gateway-error.ts";

/** Most calls of its own that an agent makes in one step. */
const MAX_CALLS = 128;
/** Longest name of a tool that providers take. */
const MAX_NAME_LENGTH = 64;
/** Longest arguments of such a call, in UTF-16 code units. */
const MAX_ARGUMENTS_LENGTH = 1024 * 1024;

/** What the steps of one run share. */
export interface StepsSoFar {
  /** The last words said, to begin a paragraph behind them; "" when nothing was said. */
  lastWords: string;
  /** Ids of the agent's own calls, which must not come twice. */
  readonly ids: Set<string>;
}

/** One call of the model: passes on what callers see, and gathers what the agent needs. */
export class ModelStep {
  readonly #steps: StepsSoFar;
  readonly #isOwn: (tool: string) => boolean;
  readonly #isStructured: boolean;
  /** By the model's index: the agent's own calls, and the numbers that the client's have for callers. */
  readonly #own = new Map<number, ToolCall>();
  readonly #clients = new Map<number, number>();
  #text = "";
  #reasoning = "";
  finishReason: FinishReason | undefined;
  carry: Carry | undefined;
  usage: Usage | undefined;

  /**
   * @param isOwn whether a call of this tool is the agent's to run
   * @param isStructured whether the answer is to be JSON
   */
  constructor(steps: StepsSoFar, isOwn: (tool: string) => boolean, isStructured = false) {
    this.#steps = steps;
    this.#isOwn = isOwn;
    this.#isStructured = isStructured;
  }

  /** The agent's own calls, as they are to be run. */
  get calls(): readonly ToolCall[] {
    return [...this.#own.values()];
  }

  /** Whether the client is to run tools, too. */
  get asksClient(): boolean {
    return this.#clients.size > 0;
  }

  /** What callers see of these events. */
  take(events: readonly AgentEvent[]): readonly AgentEvent[] {
    const [only] = events;
    // Nearly every token: more words of a step that has begun to speak.
    if (events.length === 1 && only?.type === "text-delta" && this.#text !== "") {
      this.#text = append(this.#text, only.text);
      this.#steps.lastWords = only.text || this.#steps.lastWords;
      return events;
    }
    const seen: AgentEvent[] = [];
    // To callers all steps are one text, and words before JSON spoil it: those that come together with a call are kept
    // for the model alone.
    const isAside =
      this.#isStructured && events.some((event) => event.type === "tool-call-start" && this.#isOwn(event.name));
    for (const event of events) {
      switch (event.type) {
        case "text-delta":
          if (isAside) this.#text = append(this.#text, event.text);
          else seen.push(this.#say(event));
          break;
        case "reasoning-delta":
          this.#reasoning = append(this.#reasoning, event.text);
          seen.push(event);
          break;
        case "tool-call-start":
          this.#begin(event, seen);
          break;
        case "tool-call-delta":
          this.#goOn(event, seen);
          break;
        case "end":
          this.finishReason = event.finishReason;
          this.carry = event.carry;
          break;
        case "usage":
          this.usage = addUsage(this.usage, event.usage);
          seen.push(event);
          break;
        default:
          seen.push(event);
      }
    }
    return seen;
  }

  /**
   * The step as the model is to hear it again. Arguments that are no JSON become empty and names lose what no name has,
   * because providers refuse a talk with such; the results say what they were. Where the client has to answer too, the
   * words are in what it is told.
   */
  toMessage(): AssistantTurnMessage {
    const tool_calls = this.calls.map((call) => {
      const { arguments: text } = call.function;
      const isReadable = parseJsonObject(text) !== undefined;
      const name = call.function.name.replace(/[^\w-]/g, "_").slice(0, MAX_NAME_LENGTH);
      return { ...call, function: { name, arguments: isReadable ? text : "{}" } };
    });
    const isSaid = this.#text.trim() !== "" && !this.asksClient;
    return {
      role: "assistant",
      content: isSaid ? this.#text : null,
      tool_calls,
      ...(this.#reasoning !== "" && { reasoning_content: this.#reasoning }),
      ...(this.carry && { carry: this.carry }),
    };
  }

  /** The words of a new step begin a paragraph: to callers all steps are one text. */
  #say(event: Extract<AgentEvent, { type: "text-delta" }>): AgentEvent {
    if (event.text === "") return event;
    const { lastWords } = this.#steps;
    const isNew = this.#text === "" && lastWords !== "";
    const separator = isNew && !lastWords.endsWith("\n") && !event.text.startsWith("\n") ? "\n\n" : "";
    this.#text = append(this.#text, event.text);
    this.#steps.lastWords = event.text;
    return separator === "" ? event : { type: "text-delta", text: separator + event.text };
  }

  #begin(event: Extract<AgentEvent, { type: "tool-call-start" }>, seen: AgentEvent[]): void {
    if (!this.#isOwn(event.name)) {
      const index = this.#clients.size;
      this.#clients.set(event.index, index);
      seen.push({ ...event, index });
      return;
    }
    if (this.#own.size === MAX_CALLS) throw bad(`The model called more than ${MAX_CALLS} tools at once.`);
    const { ids } = this.#steps;
    const id = ids.has(event.id) ? `call_${randomUUID().replaceAll("-", "")}` : event.id;
    ids.add(id);
    this.#own.set(event.index, { id, type: "function", function: { name: event.name, arguments: "" } });
  }

  #goOn(event: Extract<AgentEvent, { type: "tool-call-delta" }>, seen: AgentEvent[]): void {
    const call = this.#own.get(event.index);
    if (!call) {
      seen.push({ ...event, index: this.#clients.get(event.index) ?? event.index });
      return;
    }
    call.function.arguments = append(call.function.arguments, event.arguments);
    if (call.function.arguments.length > MAX_ARGUMENTS_LENGTH) throw bad("The model wrote arguments without an end.");
  }
}

function bad(message: string): GatewayError {
  return new GatewayError("provider_bad_response", message);
}
