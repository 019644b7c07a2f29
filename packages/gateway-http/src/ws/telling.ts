import type { SocketEventPayload } from "@openclaw/protocol/socket";
import type { Connection } from "./connection.ts";
import { createPayload } from "./hub.ts";

/** Characters a second that cumulative texts of one run may come to: each says all that was said before. */
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

type ChatPayload = SocketEventPayload<"chat">;
/** A `chat` event without what all of a run have. */
export type ChatBody = ChatPayload extends infer Each
  ? Each extends ChatPayload
    ? Omit<Each, "runId" | "sessionKey" | "agentId" | "seq" | "owner">
    : never
  : never;

/** Tells some clients, who all hear the same, of one run. Counts what they are told. */
export class Telling {
  readonly members = new Set<Connection>();
  readonly #about: About;
  /** Milliseconds between two pieces, for those who are many and only look on. */
  readonly #paceOf: () => number;
  #seq = 0;
  #told = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** Whether they hear of tools. */
  readonly hasTools: boolean;

  constructor(about: About, hasTools: boolean, paceOf: () => number) {
    this.#about = about;
    this.hasTools = hasTools;
    this.#paceOf = paceOf;
  }

  /** Something that happened in the run. Returns its number. */
  agent(stream: string, data: Record<string, unknown>, droppable = false): number {
    const { runId, sessionKey, agentId, sessionId, owner } = this.#about;
    const seq = ++this.#seq;
    const payload = { runId, sessionKey, agentId, sessionId, stream, data, seq, ts: Date.now() };
    const encode = createPayload(owner, payload);
    for (const member of this.members) member.tell("agent", encode(member), droppable);
    return seq;
  }

  /** What the run says, under the number of what happened last. */
  chat(body: ChatBody, droppable = false): void {
    const { runId, sessionKey, agentId, owner } = this.#about;
    const encode = createPayload(owner, { runId, sessionKey, agentId, seq: this.#seq, ...body });
    for (const member of this.members) member.tell("chat", encode(member), droppable);
  }

  /** There is more text: it is told now, or together with what comes in the next moment. */
  more(textOf: () => string): void {
    if (this.members.size === 0 || this.#timer) return;
    const { length } = textOf();
    const pace = Math.max(MIN_PACE_MS, length / CHARACTERS_A_MS, this.#paceOf());
    const left = this.#toldAt + pace - performance.now();
    if (left <= 0) this.flush(textOf());
    else this.#timer = setTimeout(() => this.flush(textOf()), left);
  }

  /** Tells what was said since the last piece. */
  flush(text: string): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#told === text.length) return;
    const delta = text.slice(this.#told);
    this.#told = text.length;
    this.#toldAt = performance.now();
    this.agent("assistant", { text, delta }, true);
    this.chat({ state: "delta", deltaText: delta, message: toMessage(text) }, true);
  }
}

/** What the assistant says, as events have it. */
export function toMessage(text: string) {
  return { role: "assistant" as const, content: [{ type: "text" as const, text }], timestamp: Date.now() };
}
