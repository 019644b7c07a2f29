import type { ChatCompletionChunk, Client } from "@openclaw/client";
import { createStore, type Store } from "../store.ts";
import type { FrameLog } from "../wire/frame-log.ts";
import type { Answer, Entry } from "./entry.ts";
import { addToFigures, NO_FIGURES } from "./figures.ts";
import { type Problem, toProblem } from "./problem.ts";
import { createSessionKey } from "./session-key.ts";

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
}

export interface TalkOptions {
  client(): Client;
  frames: FrameLog;
  now(): number;
  onProblem(problem: Problem): void;
}

export function createTalk({ client, frames, now, onProblem }: TalkOptions): Talk {
  const store = createStore<TalkState>({ entries: [], sessionKey: createSessionKey(), running: false });
  let controller: AbortController | undefined;
  let nextId = 0;

  const add = (entry: DistributiveOmit<Entry, "id">): number => {
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
    const id = add({ kind: "answer", model, status: "running", text: "", reasoning: "", figures: NO_FIGURES });
    store.set({ running: true });
    const sentAt = now();
    let ending: Partial<Answer> = { status: "done" };
    try {
      const stream = await client().chat.completions.create(
        { model, messages: [{ role: "user", content: text }], stream: true, stream_options: { include_usage: true } },
        { signal: own.signal, sessionKey },
      );
      if (stream.runId !== null) update(id, () => ({ runId: stream.runId as string }));
      for await (const chunk of stream) update(id, (answer) => addChunk(answer, chunk, now() - sentAt));
    } catch (error) {
      const problem = toProblem(error);
      ending = own.signal.aborted ? { status: "stopped" } : { status: "failed", problem };
      if (own.signal.aborted) frames.add("note", "closed by this page");
      else onProblem(problem);
    }
    update(id, ({ figures }) => ({ ...ending, figures: { ...figures, totalMs: now() - sentAt } }));
    if (controller === own) store.set({ running: false });
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
    startNew() {
      controller?.abort();
      controller = undefined;
      store.set({ entries: [], sessionKey: createSessionKey(), running: false });
    },
  };
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function addChunk(answer: Answer, chunk: ChatCompletionChunk, elapsedMs: number): Partial<Answer> {
  const choice = chunk.choices[0];
  const finishReason = choice?.finish_reason;
  const reasoning = choice?.delta.reasoning_content ?? choice?.delta.reasoning ?? "";
  return {
    text: answer.text + (choice?.delta.content ?? ""),
    reasoning: answer.reasoning + reasoning,
    figures: addToFigures(answer.figures, chunk, elapsedMs),
    ...(finishReason && { finishReason }),
  };
}
