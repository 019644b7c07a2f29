import type { Store } from "../store.ts";
import type { Answer, Entry, NewEntry } from "./entry.ts";

/** The entries of a talk, and what is done with them. */
export interface Entries {
  get(): readonly Entry[];
  /** At this place, else at the end. */
  add<New extends NewEntry>(entry: New, at?: number): New & { id: number };
  /** An answer whose talk was left is not found any more, and that is all it takes. */
  update(id: number, change: (answer: Answer) => Partial<Answer>): void;
  /** All of them are others from now on. */
  replace(entries: readonly NewEntry[]): void;
  /** The answer of a run. */
  findAnswer(runId: string | undefined): Answer | undefined;
  /** Where it belongs, after its question; `undefined` when that is not shown. */
  placeOfAnswer(runId: string): number | undefined;
}

export function createEntries(store: Store<{ readonly entries: readonly Entry[] }>): Entries {
  // Never an id twice: an answer that was left may still have something to say.
  let nextId = 0;
  const get = () => store.get().entries;
  return {
    get,
    add(entry, at = get().length) {
      const placed = { ...entry, id: nextId++ };
      store.set({ entries: get().toSpliced(at, 0, placed as Entry) });
      return placed;
    },
    update(id, change) {
      const isIt = (entry: Entry): entry is Answer => entry.id === id && entry.kind === "answer";
      store.set({ entries: get().map((entry) => (isIt(entry) ? { ...entry, ...change(entry) } : entry)) });
    },
    replace: (entries) => store.set({ entries: entries.map((entry) => ({ ...entry, id: nextId++ })) }),
    findAnswer(runId) {
      if (runId === undefined) return undefined;
      return get().find((entry): entry is Answer => entry.kind === "answer" && entry.runId === runId);
    },
    placeOfAnswer(runId) {
      const said = get().findLastIndex((entry) => entry.kind === "said" && entry.runId === runId);
      return said === -1 ? undefined : said + 1;
    },
  };
}
