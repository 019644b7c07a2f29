import type { Answer } from "../talk/entry.ts";
import { type Part, toDuration, toToolState } from "../talk/parts.ts";
import { ThoughtView } from "./thought-view.tsx";
import { ToolView } from "./tool-view.tsx";

/** What the agent thinks, does and says, as it happens. Plain text: nothing a model says becomes markup. */
export function PartsView({ answer: { parts, cuts, status } }: { answer: Answer }) {
  const isRunning = status === "running";
  const lastWords = parts.findLastIndex(isWords);
  const isTalking = lastWords !== -1 && lastWords === parts.length - 1;
  return (
    <>
      {parts.map((part, index) => {
        const ms = part.kind === "words" ? undefined : toDuration(part, cuts);
        // Parts are only ever added.
        if (part.kind === "tool") {
          return <ToolView key={index} tool={part} state={toToolState(part, isRunning)} ms={ms} />;
        }
        if (part.kind === "thought") {
          const isOpen = isRunning && index > lastWords;
          return <ThoughtView key={index} thought={part} isOpen={isOpen} ms={ms} />;
        }
        if (!isWords(part)) return null;
        return (
          <p key={index} class="text">
            {trim(part.text, index > 0, index < parts.length - 1)}
            {isRunning && isTalking && index === lastWords && <Caret />}
          </p>
        );
      })}
      {isRunning && !isTalking && (
        <p key="next" class="text">
          <Caret />
        </p>
      )}
    </>
  );
}

/** Models write blank lines before they do something. */
function isWords(part: Part): boolean {
  return part.kind === "words" && part.text.trim() !== "";
}

/** Without the line breaks that keep it apart from words before and after, where something else does that here. */
function trim(text: string, isAfter: boolean, isBefore: boolean): string {
  return text.slice(isAfter ? (/^\s*\n/.exec(text)?.[0].length ?? 0) : 0, isBefore ? text.trimEnd().length : undefined);
}

function Caret() {
  return <span class="caret" aria-hidden="true" />;
}
