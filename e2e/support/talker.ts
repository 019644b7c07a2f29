import { setTimeout as delay } from "node:timers/promises";
import { SECRETS, textOf } from "./run-bin.ts";
import { type Random, seeded } from "./seeded.ts";
import type { Message } from "./slow-provider.ts";

/** How a client names its session: by the header, by `user`, or by its chat's id, and then it sends the whole talk. */
export type SessionKind = "header" | "user" | "chat";

export interface Attempt {
  question: string;
  /** The messages of the request. */
  sent: Message[];
  /** What the provider answered to it, whole, whatever came of it. */
  given: string[];
  /** What the client was told, once it was told all of it. */
  told?: string;
  /** The client went away in the middle, and the gateway was still there to see it. */
  left: boolean;
}

/** Leaves now and then in the middle of an answer. */
const LEAVES = 0.04;
/** Asks the same again when it was not told all of the answer, as SDKs and people do. */
const ASKS_AGAIN = 0.5;
/** A question longer than a page of the database. */
const LONG = 0.03;

/** A client with one session, and what it knows of it. One turn at a time. */
export class Talker {
  readonly attempts: Attempt[] = [];
  /** The key as the database has it. */
  readonly key: string;
  readonly kind: SessionKind;
  readonly #name: string;
  readonly #random: Random;
  readonly #onTold: () => void;
  #asked: (() => void) | undefined;

  /** @param onTold called in the tick in which the client knows that an answer is whole */
  constructor(name: string, kind: SessionKind, seed: string, onTold: () => void) {
    this.#name = name;
    this.kind = kind;
    this.key = `agent:main:${{ header: "", user: "openai-user:", chat: "openai-chat:" }[kind]}${name}`;
    this.#random = seeded(`${seed} ${name}`);
    this.#onTold = onTold;
  }

  get told(): number {
    return this.attempts.filter(({ told }) => told !== undefined).length;
  }

  /** The provider got a call; says what is wrong with the talk it saw. */
  hear(messages: readonly Message[], answer: string): string | undefined {
    const attempt = this.attempts.at(-1);
    if (!attempt) return "a call without a question";
    attempt.given.push(answer);
    this.#asked?.();
    if (this.kind === "chat") {
      return JSON.stringify(messages) === JSON.stringify(attempt.sent) ? undefined : "not the messages of the request";
    }
    const last = messages.at(-1);
    if (last?.role !== "user" || last.content !== attempt.question) return "another last message";
    return explain(messages.slice(0, -1), this.attempts.slice(0, -1));
  }

  /** Whether the client was told all of an answer, or left on its own account. */
  async turn(url: string): Promise<boolean> {
    const random = this.#random;
    const last = this.attempts.at(-1);
    const again = last && last.told === undefined && random.chance(ASKS_AGAIN);
    const question = again ? last.question : this.#makeQuestion();
    const attempt: Attempt = { question, sent: [...this.#history(), user(question)], given: [], left: false };
    const leaving = new AbortController();
    const asked = new Promise<void>((resolve) => {
      this.#asked = resolve;
    });
    this.attempts.push(attempt);
    const stream = random.chance(0.6);
    if (random.chance(LEAVES)) {
      // Not before the gateway has begun: which of two requests on two sockets it reads first, nobody can know.
      void asked.then(() => delay(random.between(0, 60))).then(() => leaving.abort());
    }
    try {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${SECRETS.token}`, "content-type": "application/json", ...this.#headers() },
        body: JSON.stringify({
          model: "openclaw",
          stream,
          messages: attempt.sent,
          ...(this.kind === "user" && { user: this.#name }),
        }),
        signal: leaving.signal,
      });
      await (stream ? this.#readStream(response, attempt) : this.#readJson(response, attempt));
    } catch {
      attempt.left = leaving.signal.aborted;
    }
    return attempt.told !== undefined || attempt.left;
  }

  async #readJson(response: Response, attempt: Attempt): Promise<void> {
    const { choices } = (await response.json()) as { choices?: { message: Message; finish_reason: string }[] };
    if (response.status === 200 && choices?.[0]?.finish_reason === "stop")
      this.#tell(attempt, choices[0].message.content);
  }

  /** Told whole is who has the finish chunk, whether or not anything comes after it. */
  async #readStream({ body, status }: Response, attempt: Attempt): Promise<void> {
    let text = "";
    for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      const end = /"finish_reason":"stop".*\n\n/.exec(text);
      if (end && attempt.told === undefined && status === 200) {
        this.#tell(attempt, textOf(text.slice(0, end.index + end[0].length)));
      }
    }
  }

  #tell(attempt: Attempt, text: string): void {
    attempt.told = text;
    this.#onTold();
  }

  #makeQuestion(): string {
    const filler = this.#random.chance(LONG) ? "läng ".repeat(this.#random.between(1000, 8000)) : "";
    return `${this.#name} asks ${this.attempts.length}: what is ${this.#random.between(0, 1e9)}? ${filler}🦞`;
  }

  #history(): Message[] {
    return this.kind === "chat" ? toTalk(this.attempts) : [];
  }

  #headers(): Record<string, string> {
    if (this.kind === "user") return {};
    return { [this.kind === "chat" ? "x-openwebui-chat-id" : "x-openclaw-session-key"]: this.#name };
  }
}

/** What the client has been told, question by question. */
export function toTalk(attempts: readonly Attempt[]): Message[] {
  return attempts.flatMap(({ question, told }) =>
    told === undefined ? [] : [user(question), { role: "assistant", content: told }],
  );
}

/**
 * What is wrong with a session that says this, after these attempts: every answer that was told must be there, once,
 * whole and after its question; one that was not told may be.
 */
export function explain(talk: readonly Message[], attempts: readonly Attempt[]): string | undefined {
  let at = 0;
  for (const attempt of attempts) {
    const [asked, answered] = [talk[at], talk[at + 1]];
    const isAsked = asked?.role === "user" && asked.content === attempt.question;
    if (isAsked && answered?.role === "assistant" && mayAnswer(attempt, answered.content)) at += 2;
    else if (attempt.told !== undefined) {
      return `told, but not there at ${at}: ${JSON.stringify([attempt.question.slice(0, 80), attempt.told.slice(0, 80)])}; there is ${JSON.stringify([asked?.content.slice(0, 80), answered?.content.slice(0, 80)])}`;
    }
  }
  if (at === talk.length) return undefined;
  return `should not be there at ${at}: ${JSON.stringify(talk.slice(at, at + 2).map(({ content }) => content.slice(0, 80)))}`;
}

function mayAnswer({ told, given, left }: Attempt, content: string): boolean {
  if (told !== undefined) return content === told && given.includes(content);
  return given.some((answer) => answer === content || (left && answer.startsWith(content)));
}

function user(content: string): Message {
  return { role: "user", content };
}
