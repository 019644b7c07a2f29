import { type Agent, type AgentDefinition, type AgentOutput, type AgentTurn, defineAgent } from "../../src/index.ts";

/** An agent `main` that runs this. */
export function agentOf(
  run: (turn: AgentTurn, signal: AbortSignal) => AsyncIterable<AgentOutput>,
  more: Partial<AgentDefinition> = {},
): Agent {
  return defineAgent({ id: "main", ...more, run: (turn, { signal }) => run(turn, signal) });
}

/** An agent `main` that says these. */
export function sayer(...outputs: unknown[]): Agent {
  return agentOf(async function* () {
    yield* outputs as AgentOutput[];
  });
}

/** An agent whose every step waits for the test; `signal` is that of its latest run. */
export function stepper(more: Partial<AgentDefinition> = {}) {
  const steps: PromiseWithResolvers<AgentOutput | Error | undefined>[] = [];
  const step = (index: number) => (steps[index] ??= Promise.withResolvers());
  let given = 0;
  let taken = 0;
  const started = Promise.withResolvers<AgentTurn>();
  const aborted = Promise.withResolvers<unknown>();
  return {
    started: started.promise,
    /** The reason its signal aborted with. */
    aborted: aborted.promise,
    say: (output: AgentOutput) => step(given++).resolve(output),
    fail: (error: Error) => step(given++).resolve(error),
    end: () => step(given++).resolve(undefined),
    agent: agentOf(async function* (turn, signal) {
      started.resolve(turn);
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      const gone = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
      gone.catch(() => {});
      for (;;) {
        const output = await Promise.race([step(taken++).promise, gone]);
        if (output === undefined) return;
        if (output instanceof Error) throw output;
        yield output;
      }
    }, more),
  };
}
