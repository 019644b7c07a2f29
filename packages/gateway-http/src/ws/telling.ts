import type { SocketEventPayload } from "@openclaw/protocol/socket";
import type { GatewayError } from "../errors/gateway-error.ts";
import type { Connection } from "./connection.ts";
import type { FanOut } from "./fan-out.ts";
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
  /** The highest number that anybody was told of the run. */
  counter: { highest: number };
  /** Whether they hear of tools. */
  hasTools: boolean;
  /** What was said so far. */
  textOf(): string;
  /** For those who look on: absent, they use the session, and are told at once. */
  lookOn?: {
    fanOut: FanOut;
    /** Milliseconds between two pieces for this many. */
    paceOf(members: number): number;
  };
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

/** Tells some clients, who all hear the same, of one run. Counts what each is told. */
export class Telling {
  /** With the number of what each was told last. */
  readonly members = new Map<Connection, number>();
  readonly #options: TellingOptions;
  /** Characters that were told. */
  #told = 0;
  #toldAt: number;
  #timer: NodeJS.Timeout | undefined;
  /** Pieces that wait for their turn. */
  #onTheWay = 0;

  constructor(options: TellingOptions) {
    this.#options = options;
    // Whoever uses the session sees the first word when it is said.
    this.#toldAt = options.lookOn ? performance.now() : Number.NEGATIVE_INFINITY;
  }

  begin(startedAt: number): void {
    this.#agent("lifecycle", { phase: "start", startedAt });
  }

  /** There is more text: it is told now, or together with what comes in the next moment. */
  more(): void {
    const { size } = this.members;
    if (size === 0 || this.#timer || this.#onTheWay > 0) return;
    const { lookOn, textOf } = this.#options;
    const pace = Math.max(MIN_PACE_MS, textOf().length / CHARACTERS_A_MS, lookOn?.paceOf(size) ?? 0);
    const left = this.#toldAt + pace - performance.now();
    if (left <= 0) this.flush();
    else this.#timer = setTimeout(() => this.flush(), left);
  }

  tool(data: Record<string, unknown>): void {
    if (!this.#options.hasTools) return;
    this.flush();
    this.#agent("tool", data);
  }

  end(times: Times, stopReason: string, usage: ReturnType<typeof toUsage>): void {
    this.flush();
    this.#agent("lifecycle", { phase: "end", ...times, aborted: false, stopReason });
    this.#chat({ state: "final", stopReason, ...this.#said(), ...(usage && { usage }) });
  }

  fail(times: Times, { code, message }: GatewayError): void {
    this.flush();
    const said = this.#said();
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
  flush(): void {
    const text = this.#options.textOf();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#told === text.length) return;
    const delta = text.slice(this.#told);
    this.#told = text.length;
    this.#toldAt = performance.now();
    this.#agent("assistant", { text, delta }, true);
    this.#chat({ state: "delta", deltaText: delta, message: toMessage(text) }, true);
  }

  #said() {
    const text = this.#options.textOf();
    return text === "" ? {} : { message: toMessage(text) };
  }

  #agent(stream: string, data: Record<string, unknown>, droppable = false): void {
    const { counter, about } = this.#options;
    this.#send("agent", { ...about, stream, data, ts: Date.now() }, droppable, (member) => {
      const seq = (this.members.get(member) ?? 0) + 1;
      this.members.set(member, seq);
      counter.highest = Math.max(counter.highest, seq);
      return seq;
    });
  }

  /** Under the number of the `agent` event that it mirrors. */
  #chat(body: ChatBody, droppable = false): void {
    const { sessionId, ...about } = this.#options.about;
    this.#send("chat", { ...about, ...body }, droppable, (member) => this.members.get(member) ?? 0);
  }

  #send(
    event: "agent" | "chat",
    { owner, ...payload }: { readonly owner: string; readonly [member: string]: unknown },
    droppable: boolean,
    seqOf: (member: Connection) => number,
  ): void {
    if (this.members.size === 0) return;
    const encode = createPayload(owner, payload);
    const withSeq = (member: Connection) => `${encode(member).slice(0, -1)},"seq":${seqOf(member)}}`;
    const { lookOn } = this.#options;
    if (!lookOn) {
      for (const member of this.members.keys()) member.tell(event, withSeq(member), droppable);
      return;
    }
    this.#onTheWay++;
    lookOn.fanOut.add({
      ...{ event, droppable },
      encode: withSeq,
      members: [...this.members.keys()],
      // Who uses the session by now hears of it at once.
      isFor: (member) => this.members.has(member),
      onDone: () => {
        this.#onTheWay--;
        if (this.#told < this.#options.textOf().length) this.more();
      },
    });
  }
}

function toMessage(text: string) {
  return { role: "assistant" as const, content: [{ type: "text" as const, text }], timestamp: Date.now() };
}
