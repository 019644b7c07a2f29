import type { EventFrame } from "@openclaw/protocol/socket";

interface HeardRun {
  seq: number | undefined;
  text: string | undefined;
  /** The state that ended it. */
  end: string | undefined;
}

/** Holds the events of one connection to their order: numbers without holes, text that adds up, one end for each run. */
export class TalkJudge {
  readonly #fault: (text: string) => void;
  readonly #runs = new Map<string, HeardRun>();
  #seq = 0;

  constructor(fault: (text: string) => void) {
    this.#fault = fault;
  }

  event({ event, payload, seq }: EventFrame): void {
    if (event === "connect.challenge") {
      if (seq !== undefined) this.#fault("the challenge has a seq");
      return;
    }
    if (seq !== ++this.#seq) this.#fault(`${event} has seq ${seq} instead of ${this.#seq}`);
    this.#seq = seq ?? this.#seq;
    // biome-ignore lint/suspicious/noExplicitAny: schemas look at the shapes.
    const about = payload as any;
    if (event === "agent") this.#agent(about);
    // What no run said has no events of an agent.
    if (event === "chat" && !about.runId.startsWith("inject-")) this.#chat(about);
  }

  // biome-ignore lint/suspicious/noExplicitAny: see above.
  #agent({ runId, owner, seq, stream, data }: any): void {
    const run = this.#runOf(runId, owner);
    const told = `agent ${stream} of ${runId}`;
    if (run.end) this.#fault(`${told} after ${run.end}`);
    // Whoever comes in the midst of a run hears its later numbers only.
    const isFirst =
      (run.seq === undefined || data.replace === true) && (data.phase !== "start" || stream !== "lifecycle");
    const expected = isFirst ? seq : (run.seq ?? 0) + 1;
    if (seq !== expected) this.#fault(`${told} has seq ${seq} instead of ${expected}`);
    run.seq = seq;
    if (stream !== "assistant") return;
    if (!data.text.endsWith(data.delta)) this.#fault(`${told}: the text does not end with what is new`);
    if (data.delta === "") this.#fault(`${told} with nothing new`);
  }

  // biome-ignore lint/suspicious/noExplicitAny: see above.
  #chat({ runId, owner, seq, state, deltaText, replace, message }: any): void {
    const run = this.#runOf(runId, owner);
    const told = `chat ${state} of ${runId}`;
    if (run.end) this.#fault(`${told} after ${run.end}`);
    if (seq !== run.seq) this.#fault(`${told} has seq ${seq}, and the event that it mirrors ${run.seq}`);
    const text: string | undefined = message?.content[0].text;
    if (state === "delta") {
      // Whoever comes in the midst of a run has all that was said in its first piece.
      const whole = replace ? deltaText : (run.text ?? "") + deltaText;
      if (whole !== text) this.#fault(`${told}: ${JSON.stringify(whole)} adds up to ${JSON.stringify(text)}`);
      run.text = text;
      return;
    }
    run.end = `chat ${state}`;
    if (run.text !== undefined && text !== run.text)
      this.#fault(`${told} says ${JSON.stringify(text)}, after ${run.text}`);
  }

  #runOf(runId: string, owner = ""): HeardRun {
    const id = JSON.stringify([owner, runId]);
    const run = this.#runs.get(id) ?? { seq: undefined, text: undefined, end: undefined };
    this.#runs.set(id, run);
    return run;
  }
}
