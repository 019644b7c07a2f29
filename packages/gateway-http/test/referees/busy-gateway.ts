import type { ReasoningField } from "../../src/chat/to-frames.ts";
import { agentOf } from "../support/agents.ts";
import { type StartedGateway, startGateway } from "../support/start-gateway.ts";
import { createTap, type Tap } from "./tap.ts";

/** What {@link startBusy}'s agent says, thinks, and takes for it. */
export const TEXT = "Found it:\n\ndata: 42 😀";
export const THOUGHT = "Where was it? I ask again.";
export const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

/** Headers of a request that wants to see all of it, under a key or not. */
export const crowded = (keyed: boolean): Record<string, string> => ({
  "x-openclaw-events": "1",
  ...(keyed && { "idempotency-key": "once" }),
});

/** Both ways a stream may be asked for, for the name of a test. */
export const WAYS = [
  { keyed: false, way: "" },
  { keyed: true, way: ", under a key" },
];

/**
 * A gateway whose agent thinks, uses its tools and talks by turns, and is silent now and then until a comment has reached
 * the client, which must read through `tap`.
 */
export async function startBusy(
  exposeReasoning: ReasoningField = "reasoning_content",
): Promise<StartedGateway & { tap: Tap; runs: () => number }> {
  const tap = createTap();
  let runs = 0;
  const agent = agentOf(
    async function* ({ stream }) {
      runs++;
      const pause = async () => stream && (await tap.quiet());
      yield { type: "reasoning-delta", text: "Where " };
      yield { type: "reasoning-delta", text: "was it?" };
      yield { type: "tool-start", id: "t1", name: "search" };
      await pause();
      yield { type: "tool-end", id: "t1", ok: false };
      yield "Found ";
      yield { type: "reasoning-delta", text: " I ask again." };
      yield [
        { type: "tool-start", id: "t2", name: "search" },
        { type: "tool-end", id: "t2", ok: true },
      ];
      yield "it:\n\nda";
      await pause();
      yield "ta: 42 😀";
      yield { type: "usage", usage: USAGE };
    },
    { exposeReasoning },
  );
  const started = await startGateway({ agents: [agent], config: { gateway: { http: { keepAliveMs: 1 } } } });
  return { ...started, tap, runs: () => runs };
}
