import type { TurnMessage } from "../../src/chat/turn.ts";

/** What a gateway made of one request. */
export interface Outcome {
  /** What the model was shown. */
  seen: TurnMessage[];
  /** What was answered; a beginning of it, when it was cut short; `""`, when nothing came of it. */
  answer: string;
  /** The agent's own steps that led to it. */
  steps: TurnMessage[];
}

export type Ask = (sent: TurnMessage[], fate: Fate) => Promise<Outcome>;

/** How a run goes: it answers, is cut short after so many characters, or says nothing. */
export type Fate = { kind: "whole" } | { kind: "cut"; after: number } | { kind: "failed" };

/** One message as its person sees it, and what a gateway that does everything right has of it. */
interface Said {
  role: "user" | "assistant";
  /** As it is shown, and sent. */
  text: string;
  /** As it was when it was sent first, or as it was answered in full. */
  kept: string;
  steps: TurnMessage[];
  /** What it followed when it was kept; `undefined` when nobody has heard of it yet. */
  after: Said | null | undefined;
}

export type Act =
  | { do: "say"; fate: Fate; decorated: boolean; trim: number }
  | { do: "say-only"; fate: Fate; again: boolean }
  | { do: "regenerate"; fate: Fate }
  | { do: "edit-question"; at: number; fate: Fate }
  | { do: "edit-answer"; at: number }
  | { do: "switch"; to: number }
  | { do: "side-task" };

/**
 * A person at a chat page. It keeps the talk as such pages do and sends it whole, as `act` says, or says only what is
 * new. Beside it is the plainest bookkeeping of what a model should see: every message remembers what it followed.
 */
export class SimulatedClient {
  readonly #ask: Ask;
  readonly #talks: Said[][] = [[]];
  #talk: Said[] = [];
  /** The answer given last. */
  #head: Said | null = null;
  #words = 0;
  /** Every request: what was seen, and what should have been. */
  readonly checks: { seen: TurnMessage[]; expected: TurnMessage[] }[] = [];

  readonly #isChat: boolean;
  #sentHistory = false;

  /** @param isChat the session is the chat's own; else a question alone goes on where the last answer was */
  constructor(ask: Ask, isChat: boolean) {
    this.#ask = ask;
    this.#isChat = isChat;
  }

  async act(act: Act): Promise<void> {
    switch (act.do) {
      case "say":
        return this.#send([...this.#talk, this.#question(act.decorated)], act.fate, act.trim);
      case "say-only":
        return this.#sayOnly(act.fate, act.again);
      case "regenerate": {
        const end = this.#talk.findLastIndex(({ role }) => role === "user");
        return end < 0 ? undefined : this.#send(this.#talk.slice(0, end + 1), act.fate, 0);
      }
      case "edit-question": {
        const questions = this.#talk.flatMap(({ role }, index) => (role === "user" ? [index] : []));
        const index = questions[act.at % Math.max(1, questions.length)] ?? 0;
        return this.#send([...this.#talk.slice(0, index), this.#question(false)], act.fate, 0);
      }
      case "edit-answer": {
        const answers = this.#talk.flatMap(({ role }, index) => (role === "assistant" ? [index] : []));
        const index = answers[act.at % Math.max(1, answers.length)];
        if (index === undefined) return;
        const text = `edit ${++this.#words}.`;
        const edited: Said = { role: "assistant", text, kept: text, steps: [], after: undefined };
        // What comes after an edit was never said after it: it is kept once more.
        const rest = this.#talk.slice(index + 1).map((said): Said => ({ ...said, after: undefined, kept: said.text }));
        this.#talk = [...this.#talk.slice(0, index), edited, ...rest];
        return;
      }
      case "switch":
        this.#talk = this.#talks[act.to % this.#talks.length] as Said[];
        return;
      case "side-task": {
        const prompt: TurnMessage = { role: "user", content: `### Task ${++this.#words}: a title` };
        const { seen } = await this.#ask([prompt], { kind: "whole" });
        this.checks.push({ seen, expected: [prompt] });
      }
    }
  }

  #question(decorated: boolean): Said {
    const text = `question ${++this.#words}.`;
    return {
      role: "user",
      text,
      kept: decorated ? `${text} <context>${this.#words}</context>` : text,
      steps: [],
      after: undefined,
    };
  }

  /** Sends a talk whole, or its last part. */
  async #send(shown: Said[], fate: Fate, trim: number): Promise<void> {
    // A question that was decorated and is bare now, with no answer behind it to vouch for it, is other words.
    const other = shown.findIndex(
      ({ role, text, kept, after }, index) =>
        role === "user" && after !== undefined && text !== kept && shown[index + 1]?.role !== "assistant",
    );
    const talk = shown.map(
      (said, index): Said =>
        other < 0 || index < other ? said : { ...said, after: undefined, kept: index > other ? said.kept : said.text },
    );
    const from = Math.min(trim, Math.max(0, talk.length - 2));
    const part = talk.slice(from);
    const carriesHistory = part.some(({ role }) => role === "assistant");
    if (!this.#isChat && !carriesHistory) {
      const isKnownWhole = part[0]?.after === null && part.every(({ after }) => after !== undefined);
      if (!this.#sentHistory || !isKnownWhole) return this.#sayOnly(fate, false);
    }
    this.#sentHistory ||= carriesHistory;
    const sent = part.map(({ role, text, kept, after }): TurnMessage => {
      const isNewQuestion = role === "user" && after === undefined;
      return { role, content: isNewQuestion ? kept : text };
    });
    part.forEach((said, index) => {
      if (said.after === undefined) said.after = index === 0 ? null : (part[index - 1] as Said);
    });
    const outcome = await this.#ask(sent, fate);
    const expected = part.flatMap(({ steps }, index) => [...steps, sent[index] as TurnMessage]);
    this.checks.push({ seen: outcome.seen, expected });
    this.#answered(talk, outcome, fate);
  }

  async #sayOnly(fate: Fate, again: boolean): Promise<void> {
    const question = this.#question(false);
    question.after = this.#head;
    const past: Said[] = [];
    for (let said = this.#head; said; said = said.after ?? null) past.unshift(said);
    const sent: TurnMessage = { role: "user", content: question.kept };
    const expected: TurnMessage[] = [
      ...past.flatMap(({ role, kept, steps }): TurnMessage[] => [...steps, { role, content: kept }]),
      sent,
    ];
    if (again) this.checks.push({ seen: (await this.#ask([sent], { kind: "failed" })).seen, expected });
    const outcome = await this.#ask([sent], fate);
    this.checks.push({ seen: outcome.seen, expected });
    this.#answered([...past, question], outcome, fate);
  }

  #answered(talk: Said[], { answer, steps }: Outcome, fate: Fate): void {
    this.#talk = talk;
    if (answer !== "") {
      // What was cut short may have been kept up to a little further than its reader saw.
      const text = fate.kind === "cut" ? answer.slice(0, Math.max(9, answer.length - 3)) : answer;
      const said: Said = { role: "assistant", text, kept: answer, steps, after: talk.at(-1) as Said };
      this.#talk = [...talk, said];
      this.#head = said;
    }
    this.#talks.push(this.#talk);
  }
}
