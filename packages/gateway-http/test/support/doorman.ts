import type { TurnMessage } from "../../src/chat/turn.ts";
import type { Agent, AgentDefinition } from "../../src/index.ts";
import { agentOf } from "./agents.ts";

const text = ({ content }: TurnMessage) => String(content);

/** An agent whose runs say what they were told, once the test lets them go on. */
export function doorman(more: Partial<AgentDefinition> = {}): {
  agent: Agent;
  /** What the runs that began were told, in the order they began. */
  begun: readonly string[];
  /** The most that ran at a time. */
  most(): number;
  /** Settles when the run that was told this has begun. */
  beginning(said: string): Promise<void>;
  /** Lets the run that was told this end, now or when it begins. */
  release(said: string): void;
  releaseAll(): void;
} {
  const begun: string[] = [];
  const gates = new Map<string, { begun: PromiseWithResolvers<void>; released: PromiseWithResolvers<void> }>();
  let isOpen = false;
  let running = 0;
  let most = 0;
  function gateOf(said: string) {
    const gate = gates.get(said) ?? { begun: Promise.withResolvers(), released: Promise.withResolvers() };
    gates.set(said, gate);
    return gate;
  }
  return {
    begun,
    most: () => most,
    beginning: (said) => gateOf(said).begun.promise,
    release: (said) => gateOf(said).released.resolve(),
    releaseAll() {
      isOpen = true;
      for (const { released } of gates.values()) released.resolve();
    },
    agent: agentOf(async function* ({ messages }, signal) {
      const said = messages.map(text).at(-1) ?? "";
      const gate = gateOf(said);
      begun.push(said);
      most = Math.max(most, ++running);
      gate.begun.resolve();
      const gone = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => gone.resolve());
      try {
        if (!isOpen) await Promise.race([gate.released.promise, gone.promise]);
        yield said;
      } finally {
        running--;
      }
    }, more),
  };
}
