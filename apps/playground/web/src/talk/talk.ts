import type { Client } from "@openclaw/client";
import { createStore, type Store } from "../store.ts";
import type { FrameLog } from "../wire/frame-log.ts";
import { compare, complete, nameSession } from "./after-answer.ts";
import { ask } from "./ask.ts";
import { createElsewhere, type Elsewhere } from "./elsewhere.ts";
import { createEntries } from "./entries.ts";
import { type Entry, findRunningElsewhere, type NewEntry } from "./entry.ts";
import { NO_FIGURES } from "./figures.ts";
import type { Problem } from "./problem.ts";
import { createSessionKey } from "./session-key.ts";

interface TalkState {
  readonly entries: readonly Entry[];
  /** As the page says it. */
  readonly sessionKey: string;
  /** In full, as the gateway has it; `undefined` before anything is said. */
  readonly sessionId: string | undefined;
  /** Whether this page waits for an answer. */
  readonly running: boolean;
}

export interface Talk {
  readonly store: Store<TalkState>;
  /** Takes what others say in the session. */
  readonly elsewhere: Elsewhere;
  /** Asks an agent. Only this message is sent: the session has what was said before. */
  send(text: string, model: string): Promise<void>;
  /** Asks once more what the last answer failed at. */
  sendAgain(): Promise<void>;
  /** Ends the answer under way: this page's, else the one that was asked for elsewhere. */
  stop(): void;
  /** Leaves this talk and its session for a new one. */
  startNew(): void;
  /** Leaves it for one that the gateway has kept. */
  open(sessionKey: string, sessionId: string, entries: readonly NewEntry[]): void;
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
  /** The talk is in this session from now on. */
  onSession(sessionId: string | undefined): void;
  /** The session went another way than the one that is shown. */
  onTurn(): void;
  /** Ends a run of the session that this page has no stream of. */
  abort(runId: string): void;
}

export function createTalk(options: TalkOptions): Talk {
  const { client, frames, now, onProblem, onEnd, onSession, onTurn, abort } = options;
  const nothing = { entries: [], sessionId: undefined, running: false };
  const store: Talk["store"] = createStore<TalkState>({ ...nothing, sessionKey: createSessionKey() });
  const entries = createEntries(store);
  /** The runs of this page. */
  const own = new Set<string>();
  let controller: AbortController | undefined;
  const elsewhere = createElsewhere({
    ...{ entries, own, now },
    onAnswer: (whole) => void complete(client(), whole).then((change) => entries.update(whole.id, () => change)),
    onTurn: () => store.get().running || onTurn(),
  });

  async function answer(text: string, model: string): Promise<void> {
    const mine = new AbortController();
    const { signal } = mine;
    const isHere = () => controller === mine;
    controller = mine;
    const { sessionKey } = store.get();
    const { id } = entries.add({ kind: "answer", model, status: "running", parts: [], figures: NO_FIGURES, cuts: [] });
    store.set({ running: true });
    await ask(
      { text, model, sessionKey, signal },
      {
        ...{ client: client(), frames, now, onProblem },
        update: (change) => entries.update(id, change),
        onHead(runId, sessionId) {
          // One that failed before it was told of its run is known by its words, or not at all.
          const run = runId ?? (isHere() ? elsewhere.claimed : undefined);
          if (run !== undefined) own.add(run);
          // Nobody holds its stream.
          if (runId === null && run !== undefined && signal.aborted) abort(run);
          if (!isHere()) return;
          if (sessionId !== null && sessionId !== store.get().sessionId) {
            store.set({ sessionId });
            onSession(sessionId);
          }
          elsewhere.showAgain();
        },
      },
    );
    onEnd();
    if (isHere()) store.set({ running: false });
    elsewhere.showAgain();
    const answers = entries.get().filter((entry) => entry.kind === "answer");
    const last = answers.find((entry) => entry.id === id);
    if (last?.status !== "done") return;
    const isFirst = answers.find(({ sessionId }) => sessionId === last.sessionId) === last;
    const compared = compare(client(), last).then((change) => entries.update(id, () => change));
    await Promise.all([isFirst && nameSession(client(), last, text), compared]);
  }

  function leaveFor(sessionKey: string, sessionId: string | undefined, kept: readonly NewEntry[]): void {
    controller?.abort();
    controller = undefined;
    store.set({ sessionKey, sessionId, running: false });
    entries.replace(kept);
    elsewhere.begin(kept);
    onSession(sessionId);
  }

  return {
    store,
    elsewhere,
    async send(text, model) {
      if (store.get().running) return;
      const before = entries.get().findLast((entry) => entry.kind === "answer" && !entry.isElsewhere);
      if (before?.kind === "answer" && before.model !== model) {
        entries.add({ kind: "note", text: `${model} from here. An agent remembers only what it heard itself.` });
      }
      entries.add({ kind: "said", text });
      await answer(text, model);
    },
    async sendAgain() {
      const all = entries.get();
      const said = all.findLast((entry) => entry.kind === "said");
      const failed = all.at(-1);
      if (store.get().running || said === undefined || failed?.kind !== "answer") return;
      store.set({ entries: all.slice(0, -1) });
      await answer(said.text, failed.model);
    },
    stop() {
      const other = store.get().running ? undefined : findRunningElsewhere(entries.get())?.runId;
      if (other === undefined) controller?.abort();
      else abort(other);
    },
    startNew: () => leaveFor(createSessionKey(), undefined, []),
    open: leaveFor,
    note: (text) => void entries.add({ kind: "note", text }),
  };
}
