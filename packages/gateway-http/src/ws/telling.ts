import type { SocketEventPayload } from "@openclaw/protocol/socket";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { Connection } from "./connection.ts";
import { createPayload } from "./hub.ts";
import { toErrorKind, type toUsage } from "./run-words.ts";

/** Characters a millisecond that the pieces of one run may come to: each says all that was said before. */
const CHARACTERS_A_MS = 512;
/** Milliseconds between two pieces at least: faster than this nobody reads. */
const MIN_PACE_MS = 20;

/** What all events of a run have in common. */
export interface About {
  readonly runId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly owner: string;
}

export interface TellingOptions {
  about: About;
  /** Whether they hear of tools. */
  hasTools: boolean;
  /** Milliseconds between two pieces for this many, where that is more than usual. */
  paceOf(members: number): number;
}

interface Times {
  /** Unix time in milliseconds; absent for a run whose turn never came. */
  startedAt?: number;
  endedAt: number;
}

type ChatPayload = SocketEventPayload<"chat">;
/** A `chat` event without what all of a run have. */
type ChatBody = ChatPayload extends infer Each
  ? Each extends ChatPayload
    ? Omit<Each, keyof About | "seq">
    : never
  : never;

/** Tells some clients, who all hear the same, of one run. Counts what they are told. */
export class Telling {
  readonly members = new Set<Connection>();
  readonly #options: TellingOptions;
  #seq = 0;
  /** Characters that were told. */
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TellingOptions) {
    this.#options = options;
  }

  begin(startedAt: number): void {
    this.#agent("lifecycle", { phase: "start", startedAt });
  }

  /** There is more text: it is told now, or together with what comes in the next moment. */
  more(textOf: () => string): void {
    const { size } = this.members;
    if (size === 0 || this.#timer) return;
    const pace = Math.max(MIN_PACE_MS, textOf().length / CHARACTERS_A_MS, this.#options.paceOf(size));
    const left = this.#toldAt + pace - performance.now();
    if (left <= 0) this.#flush(textOf());
    else this.#timer = setTimeout(() => this.#flush(textOf()), left);
  }

  tool(text: string, data: Record<string, unknown>): void {
    if (!this.#options.hasTools) return;
    this.#flush(text);
    this.#agent("tool", data);
  }

  end(text: string, times: Times, stopReason: string, usage: ReturnType<typeof toUsage>): void {
    this.#flush(text);
    this.#agent("lifecycle", { phase: "end", ...times, aborted: false, stopReason });
    this.#chat({ state: "final", stopReason, ...withMessage(text), ...(usage && { usage }) });
  }

  fail(text: string, times: Times, { code, message }: GatewayError): void {
    this.#flush(text);
    const said = withMessage(text);
    if (code === "run_aborted") {
      const stopReason = "rpc";
      this.#agent("lifecycle", { phase: "end", status: "cancelled", ...times, aborted: true, stopReason });
      this.#chat({ state: "aborted", stopReason, ...said });
    } else {
      this.#agent("lifecycle", { phase: "error", ...times, error: message });
      this.#chat({ state: "error", errorMessage: message, errorKind: toErrorKind(code), ...said });
    }
  }

  /** Tells what was said since the last piece. */
  #flush(text: string): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#told === text.length) return;
    const delta = text.slice(this.#told);
    this.#told = text.length;
    this.#toldAt = performance.now();
    this.#agent("assistant", { text, delta }, true);
    this.#chat({ state: "delta", deltaText: delta, message: toMessage(text) }, true);
  }

  #agent(stream: string, data: Record<string, unknown>, droppable = false): void {
    const { owner, ...about } = this.#options.about;
    const encode = createPayload(owner, { ...about, stream, data, seq: ++this.#seq, ts: Date.now() });
    for (const member of this.members) member.tell("agent", encode(member), droppable);
  }

  /** Under the number of the `agent` event that it mirrors. */
  #chat(body: ChatBody, droppable = false): void {
    const { owner, sessionId, ...about } = this.#options.about;
    const encode = createPayload(owner, { ...about, seq: this.#seq, ...body });
    for (const member of this.members) member.tell("chat", encode(member), droppable);
  }
}

function withMessage(text: string) {
  return text === "" ? {} : { message: toMessage(text) };
}

function toMessage(text: string) {
  return { role: "assistant" as const, content: [{ type: "text" as const, text }], timestamp: Date.now() };
}
