import { type Ask, toAskText } from "../ask.ts";
import { STAMP_DIGITS } from "../clock.ts";
import type { HttpSocket } from "./http-socket.ts";
import type { Answer, LoadClient } from "./load-client.ts";
import { type Message, type Target, toRequestBytes } from "./request.ts";

/**
 * Who keeps a talk: the gateway (`kept`: a session, requests with only what is new), the client (`told`: stateless, the
 * talk so far in each request), or nobody (`bare`: stateless, the same requests as `kept`).
 */
export type Kind = "kept" | "told" | "bare";

/** A new one for every talk, among all talks of this process. */
let sessions = 0;

/** The same question over and over, for some turns. */
export class Talk {
  readonly #target: Target;
  readonly #tokens: number;
  readonly #stream: boolean;
  readonly #turns: number;
  readonly #question: Message;
  /** Made once, as all that can be: building requests must not be part of the load. */
  readonly #told: Buffer[];
  readonly #bare: Buffer[];

  constructor(
    target: Target,
    ask: Partial<Ask> & { tokens: number },
    { turns, stream }: { turns: number; stream: boolean },
  ) {
    this.#target = target;
    this.#tokens = ask.tokens;
    this.#stream = stream;
    this.#turns = turns;
    this.#question = { role: "user", content: toAskText(ask) };
    // As long as the stand-in's own answers.
    const answer: Message = { role: "assistant", content: `t${"1".repeat(STAMP_DIGITS)};`.repeat(ask.tokens) };
    const past = Array.from({ length: turns }, () => [this.#question, answer]);
    this.#told = past.map((_, turn) => this.#toRequest([...past.slice(0, turn).flat(), this.#question]));
    this.#bare = past.map(() => this.#toRequest([this.#question]));
  }

  /** A talk from its first turn to its last. */
  async run(client: LoadClient, socket: HttpSocket, kind: Kind): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (const request of this.#toRequests(kind)) {
      if (client.isBroken) break;
      answers.push(await client.ask(socket, request, this.#tokens, this.#stream));
    }
    return answers;
  }

  #toRequests(kind: Kind): Buffer[] {
    if (kind === "told") return this.#told;
    if (kind === "bare") return this.#bare;
    const request = this.#toRequest([this.#question], `bench-talk-${sessions++}`);
    return Array.from({ length: this.#turns }, () => request);
  }

  #toRequest(messages: Message[], sessionKey?: string): Buffer {
    return toRequestBytes(this.#target, { stream: this.#stream, messages, ...(sessionKey && { sessionKey }) });
  }
}
