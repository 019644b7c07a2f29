import type { Answer } from "./exchange.ts";
import type { LogBook } from "./log-book.ts";

/** An error that a client was told, and that the log has to tell of too. */
type Told = { what: string; code: string; runId: string | undefined; requestId: string };

/**
 * Connections of a thousand that the system may drop before the gateway has seen them: on a machine that is busy with
 * something else the queue of those that wait to be accepted runs over.
 */
const DROPPED = 5;

/** What came of everything, and what should not have. */
export class Account {
  readonly firstTokens: number[] = [];
  readonly requests: number[] = [];
  readonly violations = new Map<string, { count: number; example: string }>();
  readonly #outcomes = new Map<string, Map<string, number>>();
  readonly #told: Told[] = [];
  readonly #unanswered: { kind: string; failure: string; requestId: string }[] = [];
  #answers = 0;

  /** Counts an outcome of one kind of visitor. */
  count(kind: string, outcome: string): void {
    const outcomes = this.#outcomes.get(kind) ?? new Map<string, number>();
    this.#outcomes.set(kind, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
  }

  violate(rule: string, example = ""): void {
    const known = this.violations.get(rule);
    if (known) known.count++;
    else this.violations.set(rule, { count: 1, example: example.slice(0, 600) });
  }

  /** Holds an answer to what is true of all, and to the outcomes that are right for its kind. */
  judge(kind: string, answer: Answer, allowed: readonly string[]): string {
    const outcome = toOutcome(answer);
    this.count(kind, outcome);
    this.#answers++;
    const { failure, requestId } = answer;
    if (failure !== undefined) {
      this.#unanswered.push({ kind, failure, requestId });
      return outcome;
    }
    if (!allowed.includes(outcome)) this.violate(`${kind}: ${outcome}`, toExample(answer));
    const { status, code } = answer;
    if (answer.headers["x-request-id"] !== requestId) this.violate(`${kind}: not the x-request-id that was sent`);
    if (code !== undefined && (status === 200 || status >= 500)) {
      this.#told.push({ what: kind, code, runId: answer.headers["x-openclaw-run-id"]?.toString(), requestId });
    }
    return outcome;
  }

  /** Every error that a client was told has its line in the log, and what got no answer is not in there. */
  compare(log: LogBook): number {
    for (const { kind, failure, requestId } of this.#unanswered) {
      if (log.requests.has(requestId)) this.violate(`${kind}: came, and got no answer: ${failure}`, requestId);
    }
    if (this.#unanswered.length * 1000 > this.#answers * DROPPED) {
      const { kind = "", failure = "" } = this.#unanswered[0] ?? {};
      this.violate("too many connections were dropped", `${this.#unanswered.length}, the first ${kind}: ${failure}`);
    }
    for (const { what, code, runId, requestId } of this.#told) {
      const ended = runId === undefined ? undefined : log.runs.get(runId);
      const isLogged = ended === undefined ? log.requests.has(requestId) : ended === code;
      if (!isLogged) {
        this.violate(
          `${what}: ${code} was told, but the log does not say so`,
          `run ${runId} ended "${ended}", request ${requestId}`,
        );
      }
    }
    return this.#told.length;
  }

  outcomes(): [kind: string, outcome: string, count: number][] {
    return [...this.#outcomes].flatMap(([kind, outcomes]) =>
      [...outcomes].map(([outcome, count]) => [kind, outcome, count] as [string, string, number]),
    );
  }
}

/** In a word: `whole`, `left`, the code of the error, or what is wrong with it. */
function toOutcome(answer: Answer): string {
  const { status, code, end, failure, hasFinish, hasDone } = answer;
  if (failure !== undefined) return `no answer: ${failure}`;
  if (end === "left") return "left";
  if (status !== 200) return end === "cut" ? `${status}, cut` : (code ?? String(status));
  const isStream = answer.headers["content-type"]?.startsWith("text/event-stream");
  if (!isStream) return end === "cut" ? "cut JSON" : "whole";
  if (end === "cut") return hasDone ? "cut after [DONE]" : "cut";
  if (!hasDone) return "a clean end without [DONE]";
  if (code !== undefined) return hasFinish ? "both finish and error" : code;
  return hasFinish ? "whole" : "neither finish nor error";
}

function toExample({ status, text, content, headers }: Answer): string {
  const { "x-request-id": request, "x-openclaw-run-id": run } = headers;
  return `status ${status}, request ${request}, run ${run}: ${text.slice(0, 300) || content.slice(-100)}`;
}
