import type { ComponentChildren } from "preact";
import type { Problem } from "../talk/problem.ts";

/** What went wrong, what to do, and what to quote when asking somebody else. */
export function ProblemCard({ problem, children }: { problem: Problem; children?: ComponentChildren }) {
  const { title, advice, detail, code, status, requestId } = problem;
  const facts = [status, code, requestId].filter((fact) => fact !== undefined);
  return (
    <div class="problem" role="alert">
      <strong>{title}</strong>
      {advice !== "" && <p>{advice}</p>}
      {detail !== undefined && <p class="detail">{detail}</p>}
      {facts.length > 0 && (
        <p class="facts">
          {facts.map((fact) => (
            <code key={fact}>{fact}</code>
          ))}
        </p>
      )}
      {children}
    </div>
  );
}
