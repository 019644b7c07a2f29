import { setTimeout as sleep } from "node:timers/promises";
import type { Figures, LoadClient } from "./load-client.ts";

export type FlatOutPlan = { streams: number; tokens: number; warmMs: number; windowMs: number; stream: boolean };

/** As much as goes through: every stream asks again as soon as it has its answer, streamed or as one JSON document. */
export async function runFlatOut(client: LoadClient, plan: FlatOutPlan): Promise<Figures> {
  const request = client.toRequest({ tokens: plan.tokens }, plan.stream);
  let isOpen = true;
  let answers = 0;
  const streams = Array.from({ length: plan.streams }, async () => {
    const socket = client.newSocket();
    while (isOpen && !client.isBroken) {
      await client.ask(socket, request, plan.tokens, plan.stream);
      answers++;
    }
    socket.destroy();
  });
  await sleep(plan.warmMs);
  const closeWindow = client.openWindow();
  const before = answers;
  await sleep(plan.windowMs);
  const window = closeWindow();
  const counted = answers - before;
  isOpen = false;
  await Promise.all(streams);
  const { seconds = 0, tokens = 0, targetCpuMicros = 0, ...shares } = window;
  return {
    tokensPerSecond: tokens / seconds,
    answersPerSecond: counted / seconds,
    cpuMicrosPerToken: targetCpuMicros / tokens,
    cpuMicrosPerAnswer: targetCpuMicros / counted,
    ...shares,
  };
}
