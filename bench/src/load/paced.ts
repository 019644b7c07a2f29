import { setTimeout as sleep } from "node:timers/promises";
import { type Figures, type LoadClient, quantile } from "./load-client.ts";

export type PacedPlan = { streams: number; pace: number; openMs: number; warmMs: number; windowMs: number };

/** Many people reading answers at the speed of a model: every token comes by itself. */
export async function runPaced(client: LoadClient, plan: PacedPlan): Promise<Figures> {
  // The first stream must outlive the window, and a second more for a machine that falls behind.
  const tokens = Math.ceil((plan.pace * (plan.openMs + plan.warmMs + plan.windowMs + 1000)) / 1000);
  const opened = openEvenly(client, client.toRequest({ tokens, pace: plan.pace }), tokens, plan);
  await sleep(plan.openMs + plan.warmMs);
  client.tally.isRecording = true;
  const closeWindow = client.openWindow();
  await sleep(plan.windowMs);
  client.tally.isRecording = false;
  const { seconds = 0, tokens: counted = 0, targetCpuMicros = 0, ...shares } = closeWindow();
  await Promise.all(opened);
  return {
    cpuMicrosPerToken: targetCpuMicros / counted,
    tokensPerSecond: counted / seconds,
    transitP50: quantile(client.tally.transits, 0.5),
    transitP99: quantile(client.tally.transits, 0.99),
    ...shares,
  };
}

export type BurstPlan = { streams: number; pace: number; tokens: number; openMs: number };

/** The first token of many streams that open within a second, each on its own new connection. */
export async function runBurst(client: LoadClient, plan: BurstPlan): Promise<Figures> {
  const request = client.toRequest({ tokens: plan.tokens, pace: plan.pace });
  // A tenth of the load first: what is measured is a crowd, not a process that has never answered.
  await Promise.all(openEvenly(client, request, plan.tokens, { streams: plan.streams / 10, openMs: plan.openMs }));
  const answers = await Promise.all(openEvenly(client, request, plan.tokens, plan));
  const firsts = answers.map((answer) => answer.firstMs);
  return { firstP50: quantile(firsts, 0.5), firstP99: quantile(firsts, 0.99) };
}

/** Streams that open one after another over `openMs`, so that their tokens do not all come in the same millisecond. */
export function openEvenly(
  client: LoadClient,
  request: Buffer,
  tokens: number,
  plan: { streams: number; openMs: number },
) {
  return Array.from({ length: plan.streams }, async (_, position) => {
    await sleep((position * plan.openMs) / plan.streams);
    const socket = client.newSocket();
    const answer = await client.ask(socket, request, tokens);
    socket.destroy();
    return answer;
  });
}
