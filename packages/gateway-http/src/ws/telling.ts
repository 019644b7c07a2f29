import type { GatewayError } from "../errors/gateway-error.ts";
import { RunAudience, type RunAudienceOptions, toMessage } from "./run-audience.ts";
import { toErrorKind, type toUsage } from "./run-words.ts";

/** Characters a millisecond that the pieces of one run may come to: each says all that was said before. */
const CHARACTERS_A_MS = 512;
/** Milliseconds between two pieces at least: faster than this nobody reads. */
const MIN_PACE_MS = 20;

export interface TellingOptions extends Omit<RunAudienceOptions, "onTold" | "looksOn"> {
  /** Whether they hear of tools. */
  hasTools: boolean;
  /** What was said so far. */
  textOf(): string;
  /**
   * Milliseconds between two pieces for this many, of those who look on: absent, they use the session, and are told at
   * once.
   */
  paceOf?: ((members: number) => number) | undefined;
}

interface Times {
  /** Unix time in milliseconds; absent for a run whose turn never came. */
  startedAt?: number;
  endedAt: number;
}

/** Tells some clients, who all hear the same, of one run: text in pieces, when it is time for one. */
export class Telling {
  readonly audience: RunAudience;
  readonly #options: TellingOptions;
  /** Characters that were told. */
  #told = 0;
  #toldAt: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TellingOptions) {
    const { about, counter, fanOut, paceOf, textOf } = options;
    this.#options = options;
    // Whoever uses the session sees the first word when it is said.
    this.#toldAt = paceOf ? performance.now() : Number.NEGATIVE_INFINITY;
    this.audience = new RunAudience({
      ...{ about, counter, fanOut, looksOn: paceOf !== undefined },
      onTold: () => {
        if (this.#told < textOf().length) this.more();
      },
    });
  }

  begin(startedAt: number): void {
    this.audience.agent("lifecycle", { phase: "start", startedAt });
  }

  /** There is more text: it is told now, or together with what comes in the next moment. */
  more(): void {
    const { size, isBusy } = this.audience;
    if (size === 0 || this.#timer || isBusy) return;
    const { paceOf, textOf } = this.#options;
    const pace = Math.max(MIN_PACE_MS, textOf().length / CHARACTERS_A_MS, paceOf?.(size) ?? 0);
    const left = this.#toldAt + pace - performance.now();
    if (left <= 0) this.flush();
    else this.#timer = setTimeout(() => this.flush(), left);
  }

  tool(data: Record<string, unknown>): void {
    if (!this.#options.hasTools) return;
    this.flush();
    this.audience.agent("tool", data);
  }

  end(times: Times, stopReason: string, usage: ReturnType<typeof toUsage>): void {
    this.flush();
    this.audience.agent("lifecycle", { phase: "end", ...times, aborted: false, stopReason });
    this.audience.chat({ state: "final", stopReason, ...this.#said(), ...(usage && { usage }) });
  }

  fail(times: Times, { code, message }: GatewayError): void {
    this.flush();
    const { audience } = this;
    const said = this.#said();
    if (code === "run_aborted") {
      const stopReason = "rpc";
      audience.agent("lifecycle", { phase: "end", status: "cancelled", ...times, aborted: true, stopReason });
      audience.chat({ state: "aborted", stopReason, ...said });
    } else {
      audience.agent("lifecycle", { phase: "error", ...times, error: message });
      audience.chat({ state: "error", errorMessage: message, errorKind: toErrorKind(code), ...said });
    }
  }

  /** Tells what was said since the last piece. */
  flush(): void {
    const text = this.#options.textOf();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#told === text.length) return;
    const delta = text.slice(this.#told);
    this.#told = text.length;
    this.#toldAt = performance.now();
    this.audience.piece(text, delta);
  }

  #said() {
    const text = this.#options.textOf();
    return text === "" ? {} : { message: toMessage(text) };
  }
}
