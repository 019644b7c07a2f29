import type { Cut } from "./cut.ts";
import type { Figures } from "./figures.ts";
import type { Part } from "./parts.ts";
import type { Problem } from "./problem.ts";
import type { Verdict } from "./record.ts";

/** What stands in the talk, in order. */
export type Entry = Said | Answer | Note;

/** One that has no place yet. */
export type NewEntry = Omit<Said, "id"> | Omit<Answer, "id"> | Omit<Note, "id">;

/** Of what a session keeps. */
interface Kept {
  /** Of the run that it belongs to, once that is known. */
  readonly runId?: string;
  /** In its session; absent of what this page said or heard itself. */
  readonly messageId?: string;
  /** It was said in another window, or by another program, while this page looked on. */
  readonly isElsewhere?: boolean;
}

interface Said extends Kept {
  readonly kind: "said";
  readonly id: number;
  readonly text: string;
}

export interface Answer extends Kept {
  readonly kind: "answer";
  readonly id: number;
  readonly model: string;
  readonly status: "running" | "done" | "stopped" | "failed";
  readonly parts: readonly Part[];
  readonly figures: Figures;
  readonly cuts: readonly Cut[];
  /** Of an answer that was cut: whether it is whole, by the gateway's own record. */
  readonly verdict?: Verdict;
  readonly sessionId?: string;
  readonly finishReason?: string;
  readonly problem?: Problem;
  /** Not this page has stopped it. */
  readonly isStoppedElsewhere?: boolean;
}

/** A line of the page's own. */
interface Note {
  readonly kind: "note";
  readonly id: number;
  readonly text: string;
}

/** The answer under way that was asked for elsewhere. */
export function findRunningElsewhere(entries: readonly Entry[]): Answer | undefined {
  return entries.findLast(
    (entry): entry is Answer => entry.kind === "answer" && entry.isElsewhere === true && entry.status === "running",
  );
}
