import type { Answer } from "../talk/entry.ts";
import { toTime } from "../talk/figures.ts";
import type { AnswerRef } from "../talk/record.ts";
import { Cuts } from "./cuts.tsx";
import { Elsewhere } from "./elsewhere.tsx";
import { PartsView } from "./parts-view.tsx";
import { ProblemCard } from "./problem-card.tsx";

export interface AnswerViewProps {
  answer: Answer;
  onSendAgain: (() => void) | undefined;
  onFork: ((answer: AnswerRef) => void) | undefined;
}

export function AnswerView({ answer, onSendAgain, onFork }: AnswerViewProps) {
  const { model, status, cuts, problem, sessionId, runId } = answer;
  const canFork = status === "done" && sessionId !== undefined && runId !== undefined;
  return (
    <article aria-busy={status === "running"} data-status={status}>
      <h3>
        {model}
        {answer.isElsewhere && <Elsewhere />}
      </h3>
      <PartsView answer={answer} />
      {cuts.length > 0 && <Cuts answer={answer} />}
      {problem && (
        <ProblemCard problem={problem}>
          {onSendAgain && (
            <button type="button" class="plain" onClick={onSendAgain}>
              Send again
            </button>
          )}
        </ProblemCard>
      )}
      <p class="facts">
        {toFacts(answer).map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
        {canFork && onFork && (
          <button type="button" class="link" onClick={() => onFork({ sessionId, runId })}>
            Fork from here
          </button>
        )}
      </p>
    </article>
  );
}

const ENDINGS: Readonly<Record<string, string>> = {
  length: "cut at the length limit",
  content_filter: "cut by the provider's filter",
  tool_calls: "asked for a tool",
};

function toFacts({ status, finishReason, figures, runId, isStoppedElsewhere }: Answer): string[] {
  // A request that was refused has its facts in the problem.
  if (status === "running" || (status === "failed" && runId === undefined)) return [];
  const { value, unit } = toTime(figures.totalMs);
  const isMeasured = figures.totalMs !== undefined;
  return [
    ...(status === "stopped" ? [isStoppedElsewhere ? "stopped elsewhere" : "stopped"] : []),
    ...(ENDINGS[finishReason ?? ""] ? [ENDINGS[finishReason ?? ""] as string] : []),
    ...(isMeasured ? [`${value} ${unit}`] : []),
    ...(runId === undefined ? [] : [runId]),
  ];
}
