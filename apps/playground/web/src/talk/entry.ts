import type { Cut } from "./cut.ts";
import type { Figures } from "./figures.ts";
import type { Part } from "./parts.ts";
import type { Problem } from "./problem.ts";
import type { Verdict } from "./record.ts";

/** What stands in the talk, in order. */
export type Entry = Said | Answer | Note;

/** One that has no place yet. */
export type NewEntry = Omit<Said, "id"> | Omit<Answer, "id"> | Omit<Note, "id">;

interface Said {
  readonly kind: "said";
  readonly id: number;
  readonly text: string;
}

export interface Answer {
  readonly kind: "answer";
  readonly id: number;
  readonly model: string;
  readonly status: "running" | "done" | "stopped" | "failed";
  readonly parts: readonly Part[];
  readonly figures: Figures;
  readonly cuts: readonly Cut[];
  /** Of an answer that was cut: whether it is whole, by the gateway's own record. */
  readonly verdict?: Verdict;
  readonly runId?: string;
  readonly sessionId?: string;
  readonly finishReason?: string;
  readonly problem?: Problem;
}

/** A line of the page's own. */
interface Note {
  readonly kind: "note";
  readonly id: number;
  readonly text: string;
}
