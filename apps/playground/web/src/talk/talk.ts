import type { Client } from "@openclaw/client";
import { createStore, type Store } from "../store.ts";
import type { FrameLog } from "../wire/frame-log.ts";
import { addChunk } from "./add-chunk.ts";
import { addTry } from "./cut.ts";
import type { Answer, Entry, NewEntry } from "./entry.ts";
import { NO_FIGURES } from "./figures.ts";
import { endThought, toAnswerText } from "./parts.ts";
import { type Problem, toProblem } from "./problem.ts";
import { compareWithRecord, readRun } from "./record.ts";
import { createSessionKey } from "./session-key.ts";
import { withResults } from "./steps.ts";

/** Enough to come back for as long as the gateway waits, 30 s: the plug holds each try up for 6 s. */
const RETRIES = 4;
const MAX_TITLE = 80;

interface TalkState {
  readonly entries: readonly Entry[];
  readonly sessionKey: string;
  readonly running: boolean;
}

export interface Talk {
  readonly store: Store<TalkState>;
  /** Asks an agent. Only this message is sent: the session has what was said before. */
  send(text: string, model: string): Promise<void>;
  /** Asks once more what the last answer failed at. */
  sendAgain(): Promise<void>;
  stop(): void;
  /** Leaves this talk and its session for a new one. */
  startNew(): void;
  /** Leaves it for one that the gateway has kept. */
  open(sessionKey: string, entries: readonly NewEntry[]): void;
  /** Says something of the page's own. */
  note(text: string): void;
}

export interface TalkOptions {
  client(): Client;
  frames: FrameLog;
  now(): number;
  onProblem(problem: Problem): void;
  /** An answer is over, however it ended. */
  onEnd(): void;
}

export function createTalk({ client, frames, now, onProblem, onEnd }: TalkOptions): Talk {
  const store = createStore<TalkState>({ entries: [], sessionKey: createSessionKey(), running: false });
  let controller: AbortController | undefined;
  let nextId = 0;

  const add = (entry: NewEntry): number => {
    const id = nextId++;
    store.set({ entries: [...store.get().entries, { ...entry, id }] });
    return id;
  };
  // An answer whose talk was left is not found any more, and that is all it takes.
  const update = (id: number, change: (answer: Answer) => Partial<Answer>) => {
    const entries = store
      .get()
      .entries.map((entry) => (entry.id === id && entry.kind === "answer" ? { ...entry, ...change(entry) } : entry));
    store.set({ entries });
  };

  async function ask(text: string, model: string): Promise<void> {
    const own = new AbortController();
    controller = own;
    const { sessionKey } = store.get();
    const id = add({ kind: "answer", model, status: "running", parts: [], figures: NO_FIGURES, cuts: [] });
    store.set({ running: true });
    const sentAt = now();
    let ending: Partial<Answer> = { status: "done" };
    try {
      const stream = await client().chat.completions.create(
        { model, messages: [{ role: "user", content: text }], stream: true, stream_options: { include_usage: true } },
        { signal: own.signal, sessionKey, maxRetries: RETRIES, activity: true },
      );
      const { runId, sessionKey: sessionId } = stream;
      update(id, () => ({ ...(runId !== null && { runId }), ...(sessionId !== null && { sessionId }) }));
      stream.on("resume", ({ attempt }) => {
        if (attempt === 1) frames.add("note", "connection lost");
        update(id, (answer) => ({ cuts: addTry(answer.cuts, toAnswerText(answer.parts), now()) }));
      });
      for await (const chunk of stream) update(id, (answer) => addChunk(answer, chunk, now(), sentAt));
    } catch (error) {
      const problem = toProblem(error);
      ending = own.signal.aborted ? { status: "stopped" } : { status: "failed", problem };
      if (own.signal.aborted) frames.add("note", "closed by this page");
      else onProblem(problem);
    }
    const endedAt = now();
    update(id, ({ figures, parts }) => ({
      ...ending,
      parts: endThought(parts, endedAt),
      figures: { ...figures, totalMs: endedAt - sentAt },
    }));
    onEnd();
    if (controller === own) store.set({ running: false });
    const answers = store.get().entries.filter((entry) => entry.kind === "answer");
    const answer = answers.find((entry) => entry.id === id);
    if (answer?.status !== "done") return;
    const isFirst = answers.find(({ sessionId }) => sessionId === answer.sessionId) === answer;
    await Promise.all([isFirst && nameSession(answer, text), compare(answer)]);
  }

  /** After the first question: a list of keys would tell nobody anything. */
  async function nameSession({ sessionId }: Answer, question: string): Promise<void> {
    if (sessionId === undefined) return;
    const title = question.trim().replaceAll(/\s+/g, " ").slice(0, MAX_TITLE).toWellFormed();
    await client()
      .sessions.update(sessionId, { title })
      .catch(() => {});
  }

  /** Asks the gateway what it kept, where that says more than what came: of cuts and of tools. */
  async function compare({ id, sessionId, runId, parts, cuts }: Answer): Promise<void> {
    if (cuts.length === 0 && parts.every(({ kind }) => kind !== "tool")) return;
    const isKnown = sessionId !== undefined && runId !== undefined;
    const kept = isKnown ? await readRun(client(), { sessionId, runId }).catch(() => []) : [];
    update(id, () => ({
      parts: withResults(parts, kept),
      ...(cuts.length > 0 && { verdict: compareWithRecord(kept, toAnswerText(parts)) }),
    }));
  }

  function leaveFor(sessionKey: string, entries: readonly NewEntry[]): void {
    controller?.abort();
    controller = undefined;
    // Never an id twice: the answer that is left may still have something to say.
    store.set({ entries: entries.map((entry) => ({ ...entry, id: nextId++ })), sessionKey, running: false });
  }

  return {
    store,
    async send(text, model) {
      if (store.get().running) return;
      const before = store.get().entries.findLast((entry) => entry.kind === "answer");
      if (before !== undefined && before.model !== model) {
        add({ kind: "note", text: `${model} from here. An agent remembers only what it heard itself.` });
      }
      add({ kind: "said", text });
      await ask(text, model);
    },
    async sendAgain() {
      const { entries, running } = store.get();
      const said = entries.findLast((entry) => entry.kind === "said");
      const failed = entries.at(-1);
      if (running || said === undefined || failed?.kind !== "answer") return;
      store.set({ entries: entries.slice(0, -1) });
      await ask(said.text, failed.model);
    },
    stop: () => controller?.abort(),
    startNew: () => leaveFor(createSessionKey(), []),
    open: leaveFor,
    note: (text) => void add({ kind: "note", text }),
  };
}
