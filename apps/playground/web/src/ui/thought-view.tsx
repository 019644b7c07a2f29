import { useState } from "preact/hooks";
import { countWords } from "../talk/cut.ts";
import { toTime } from "../talk/figures.ts";
import type { Thought } from "../talk/parts.ts";

export interface ThoughtViewProps {
  thought: Thought;
  /** Open while it leads to an answer, folded once that has begun. */
  isOpen: boolean;
  ms: number | undefined;
}

export function ThoughtView({ thought: { text, endedAt }, isOpen, ms }: ThoughtViewProps) {
  // Who opened or folded it wants it so.
  const [chosen, setChosen] = useState<boolean>();
  const shouldBeOpen = chosen ?? isOpen;
  return (
    <details
      class="step thought"
      open={shouldBeOpen}
      onToggle={({ currentTarget: { open } }) => open !== shouldBeOpen && setChosen(open)}
    >
      <summary>{endedAt === undefined ? "Thinking" : toSummary(text, ms)}</summary>
      <p>{text.trim()}</p>
    </details>
  );
}

function toSummary(text: string, ms: number | undefined): string {
  const words = countWords(text);
  const { value, unit } = toTime(ms);
  return `Thought${ms === undefined ? "" : ` for ${value} ${unit}`}, ${words} ${words === 1 ? "word" : "words"}`;
}
