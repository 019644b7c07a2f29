import { type Figures, type LoadClient, quantile } from "./load-client.ts";

export type FirstTokenPlan = { warmRequests: number; requests: number; tokens: number; pace: number };

/** One caller at a time on one connection: what an answer waits for when nothing else is going on. */
export async function runFirstToken(client: LoadClient, plan: FirstTokenPlan): Promise<Figures> {
  const request = client.toRequest({ tokens: plan.tokens, pace: plan.pace });
  const socket = client.newSocket();
  const firsts: number[] = [];
  for (let count = 0; count < plan.warmRequests + plan.requests && !client.isBroken; count++) {
    const answer = await client.ask(socket, request, plan.tokens);
    if (count >= plan.warmRequests) firsts.push(answer.firstMs);
  }
  socket.destroy();
  return { firstP50: quantile(firsts, 0.5), firstP99: quantile(firsts, 0.99) };
}
