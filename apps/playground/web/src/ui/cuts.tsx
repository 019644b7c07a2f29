import { type Cut, countWords } from "../talk/cut.ts";
import type { Answer } from "../talk/entry.ts";
import { toAnswerText } from "../talk/parts.ts";
import type { Verdict } from "../talk/record.ts";

/** What became of an answer whose connection broke. */
export function Cuts({ answer: { cuts, verdict, parts, status } }: { answer: Answer }) {
  return (
    <div class="cuts">
      {cuts.map((cut) => (
        <p key={cut.at}>{toText(cut, status)}</p>
      ))}
      {verdict && (
        <p class={verdict === "same" ? "whole" : "doubtful"} role="status">
          {VERDICTS[verdict](countWords(toAnswerText(parts)))}
        </p>
      )}
    </div>
  );
}

function toText({ afterWords, tries, lastedMs }: Cut, status: Answer["status"]): string {
  const tried = `${tries} ${tries === 1 ? "try" : "tries"}`;
  if (lastedMs !== undefined) {
    return `Cut after ${afterWords} words, resumed ${(lastedMs / 1000).toFixed(1)} s later, in ${tried}.`;
  }
  return `Cut after ${afterWords} words. ${status === "running" ? `Coming back, ${tried}…` : `Not resumed in ${tried}.`}`;
}

const VERDICTS: Readonly<Record<Verdict, (words: number) => string>> = {
  same: (words) => `${words} words, the same as the gateway kept: nothing lost, nothing doubled.`,
  other: (words) => `${words} words, and the gateway kept something else.`,
  unknown: (words) => `${words} words. What the gateway kept could not be read.`,
};
