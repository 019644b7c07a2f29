import type { Figures } from "./figures.ts";
import type { Problem } from "./problem.ts";

/** What stands in the talk, in order. */
export type Entry = Said | Answer | Note;

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
  readonly text: string;
  /** What the model thought, where the agent shows it. */
  readonly reasoning: string;
  readonly figures: Figures;
  readonly runId?: string;
  readonly finishReason?: string;
  readonly problem?: Problem;
}

/** A line of the page's own. */
interface Note {
  readonly kind: "note";
  readonly id: number;
  readonly text: string;
}
