import type { SocketEventPayload } from "@openclaw/protocol/socket";
import type { Connection } from "./connection.ts";
import type { FanOut } from "./fan-out.ts";
import { createPayload, mayHear } from "./hub.ts";

/** What all events of a run have in common. */
export interface About {
  readonly runId: string;
  readonly sessionKey: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly owner: string;
}

/** How far one has heard. */
interface Place {
  /** Number of what it was told last of the run. */
  seq: number;
  /** Whether text was said that it was not told: its next piece is all of it. */
  isBehind: boolean;
}

export interface RunAudienceOptions {
  about: About;
  /** The highest number that anybody was told of the run. */
  counter: { highest: number };
  fanOut: FanOut;
  /** Whether they only look on, and are told in turn. */
  looksOn: boolean;
  /** Nothing waits any more for their turns. */
  onTold(): void;
}

type ChatPayload = SocketEventPayload<"chat">;
/** A `chat` event without what all of a run have. */
type ChatBody = ChatPayload extends infer Each
  ? Each extends ChatPayload
    ? Omit<Each, keyof About | "seq">
    : never
  : never;

type Encode = (member: Connection, place: Place) => string;

/** Clients who all hear the same of one run. Counts what each is told. */
export class RunAudience {
  readonly #options: RunAudienceOptions;
  readonly #members = new Map<Connection, Place>();
  #onTheWay = 0;

  constructor(options: RunAudienceOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Whether something waits for their turns. */
  get isBusy(): boolean {
    return this.#onTheWay > 0;
  }

  has(member: Connection): boolean {
    return this.#members.has(member);
  }

  add(member: Connection, place: Place): void {
    this.#members.set(member, place);
  }

  /** @returns where it was */
  remove(member: Connection): Place | undefined {
    const place = this.#members.get(member);
    this.#members.delete(member);
    return place;
  }

  agent(stream: string, data: Record<string, unknown>): void {
    const encode = this.#encoder({ ...this.#options.about, stream, data, ts: Date.now() });
    this.#send("agent", (member, place) => encode(member, () => this.#nextSeq(place)));
  }

  /** Under the number of the `agent` event that it mirrors. */
  chat(body: ChatBody): void {
    const encode = this.#encoder({ ...this.#chatAbout(), ...body });
    this.#send("chat", (member, { seq }) => encode(member, () => seq));
  }

  /** A piece of text, with all that was said so far. One who did not hear the last ones gets all as what is new. */
  piece(text: string, delta: string): void {
    const said = { ...this.#options.about, stream: "assistant", ts: Date.now() };
    const chat = { ...this.#chatAbout(), state: "delta", message: toMessage(text) };
    const agents = {
      next: this.#encoder({ ...said, data: { text, delta } }),
      whole: this.#encoder({ ...said, data: { text, delta: text, replace: true } }),
    };
    const chats = {
      next: this.#encoder({ ...chat, deltaText: delta }),
      whole: this.#encoder({ ...chat, deltaText: text, replace: true }),
    };
    this.#send("agent", (to, place) => agents[place.isBehind ? "whole" : "next"](to, () => this.#nextSeq(place)), true);
    this.#send(
      "chat",
      (to, place) => {
        const kind = place.isBehind ? "whole" : "next";
        place.isBehind = false;
        return chats[kind](to, () => place.seq);
      },
      true,
    );
  }

  #chatAbout(): Omit<About, "sessionId"> {
    const { sessionId, ...about } = this.#options.about;
    return about;
  }

  #nextSeq(place: Place): number {
    place.seq++;
    const { counter } = this.#options;
    counter.highest = Math.max(counter.highest, place.seq);
    return place.seq;
  }

  #encoder({ owner, ...payload }: { readonly owner: string; readonly [member: string]: unknown }) {
    const encode = createPayload(owner, payload);
    // What cannot be encoded takes no number.
    return (member: Connection, seqOf: () => number) => `${encode(member).slice(0, -1)},"seq":${seqOf()}}`;
  }

  #send(event: "agent" | "chat", encode: Encode, droppable = false): void {
    if (this.#members.size === 0) return;
    const { looksOn, fanOut, about, onTold } = this.#options;
    const session = { owner: about.owner, key: about.sessionKey };
    const onMissed = (member: Connection) => {
      const place = this.#members.get(member);
      if (place && droppable) place.isBehind = true;
    };
    const job = {
      ...{ event, droppable, members: [...this.#members.keys()], onMissed },
      encode: (member: Connection) => encode(member, this.#members.get(member) as Place),
      // It may have left them, or lost the right, before its turn.
      isFor: (member: Connection) => this.#members.has(member) && mayHear(member, session),
    };
    if (!looksOn) {
      fanOut.tellNow(job);
      return;
    }
    this.#onTheWay++;
    const onDone = () => {
      this.#onTheWay--;
      onTold();
    };
    fanOut.add({ ...job, onDone });
  }
}

export function toMessage(text: string) {
  return { role: "assistant" as const, content: [{ type: "text" as const, text }], timestamp: Date.now() };
}
