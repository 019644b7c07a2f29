import { NO_FIGURES, toReadings } from "../talk/figures.ts";
import type { Talk } from "../talk/talk.ts";
import { useStore } from "./use-store.ts";

/** The figures of the last answer that this page asked for. */
export function Readings({ talk }: { talk: Talk }) {
  const { entries } = useStore(talk.store);
  const answer = entries.findLast((entry) => entry.kind === "answer" && !entry.isElsewhere);
  return (
    <dl class="readings">
      {toReadings(answer?.kind === "answer" ? answer.figures : NO_FIGURES).map(({ label, value, unit }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {value} <small>{unit}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}
