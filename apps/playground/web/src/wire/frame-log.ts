import { createStore, type Store } from "../store.ts";
import { type ChunkParts, toChunkParts } from "./chunk-parts.ts";

const MAX_ROWS = 500;
const MAX_CHARACTERS = 2_000;

const NO_PARTS: ChunkParts = { idHead: "", idTail: "", head: "", gap: "", body: "", tail: "" };

export interface FrameRow extends ChunkParts {
  readonly id: number;
  /** `sent` and `status` are the lines of the request and of its answer; `frame` came over the wire; `note` is amiss. */
  readonly kind: "sent" | "status" | "frame" | "note";
  /** Milliseconds since the request was sent. */
  readonly at: number;
  /** Whether the frame before began with the same head. */
  readonly repeats: boolean;
  /** Whether the id of the frame before did. */
  readonly idRepeats: boolean;
  /** How many characters are not shown. */
  readonly cut: number;
}

export interface FrameLog {
  readonly store: Store<{ rows: readonly FrameRow[]; total: number }>;
  /** Begins the rows of a request; times count from here. */
  begin(text: string): void;
  add(kind: FrameRow["kind"], text: string): void;
  clear(): void;
}

/** The last frames, in bounded memory: so many rows, each of so many characters. */
export function createFrameLog({ now }: { now: () => number }): FrameLog {
  const store: FrameLog["store"] = createStore({ rows: [], total: 0 });
  let startedAt = 0;
  let nextId = 0;
  let lastHead = "";
  let lastIdHead = "";

  const push = (kind: FrameRow["kind"], text: string) => {
    const cut = Math.max(0, text.length - MAX_CHARACTERS);
    const parts = kind === "frame" ? toChunkParts(text) : { ...NO_PARTS, body: text };
    const shown = cut === 0 ? parts : { ...NO_PARTS, body: text.slice(0, MAX_CHARACTERS) };
    const repeats = shown.head !== "" && shown.head === lastHead;
    const idRepeats = shown.idHead !== "" && shown.idHead === lastIdHead;
    // Across the lines between: what came after a cut goes on with what came before it.
    if (kind === "frame") ({ head: lastHead, idHead: lastIdHead } = shown);
    const row = { ...shown, id: nextId++, kind, at: now() - startedAt, repeats, idRepeats, cut };
    const { rows, total } = store.get();
    store.set({ rows: [...rows.slice(1 - MAX_ROWS), row], total: total + (kind === "frame" ? 1 : 0) });
  };

  return {
    store,
    begin(text) {
      startedAt = now();
      lastHead = "";
      lastIdHead = "";
      push("sent", text);
    },
    add: push,
    clear() {
      lastHead = "";
      lastIdHead = "";
      store.set({ rows: [], total: 0 });
    },
  };
}
