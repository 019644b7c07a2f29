import { createStore, type Store } from "../store.ts";
import { type ChunkParts, toChunkParts } from "./chunk-parts.ts";

const MAX_ROWS = 500;
const MAX_CHARACTERS = 2_000;

export interface FrameRow extends ChunkParts {
  readonly id: number;
  /** `sent` and `status` are the lines of the request and of its answer; `frame` came over the wire; `note` is amiss. */
  readonly kind: "sent" | "status" | "frame" | "note";
  /** Milliseconds since the request was sent. */
  readonly at: number;
  /** Whether the frame before began with the same head. */
  readonly repeats: boolean;
  /** How many characters are not shown. */
  readonly cut: number;
}

export interface FrameLog {
  readonly store: Store<{ rows: readonly FrameRow[]; total: number }>;
  /** Begins the rows of a request; times count from here. */
  begin(text: string): void;
  add(kind: "status" | "frame" | "note", text: string): void;
  clear(): void;
}

/** The last frames, in bounded memory: so many rows, each of so many characters. */
export function createFrameLog({ now }: { now: () => number }): FrameLog {
  const store: FrameLog["store"] = createStore({ rows: [], total: 0 });
  let startedAt = 0;
  let nextId = 0;
  let lastHead = "";

  const push = (kind: FrameRow["kind"], text: string) => {
    const cut = Math.max(0, text.length - MAX_CHARACTERS);
    const parts = kind === "frame" ? toChunkParts(text) : { head: "", body: text, tail: "" };
    const shown = cut === 0 ? parts : { head: "", body: text.slice(0, MAX_CHARACTERS), tail: "" };
    const repeats = shown.head !== "" && shown.head === lastHead;
    lastHead = shown.head;
    const row = { ...shown, id: nextId++, kind, at: now() - startedAt, repeats, cut };
    const { rows, total } = store.get();
    store.set({ rows: [...rows.slice(1 - MAX_ROWS), row], total: total + (kind === "frame" ? 1 : 0) });
  };

  return {
    store,
    begin(text) {
      startedAt = now();
      lastHead = "";
      push("sent", text);
    },
    add: push,
    clear() {
      lastHead = "";
      store.set({ rows: [], total: 0 });
    },
  };
}
