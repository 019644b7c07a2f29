// A model with two functions that it may call. The provider is one of your openclaw.json, or one that needs no entry:
//
//   OPENCLAW_MODEL=openai/gpt-5-mini OPENAI_API_KEY=… node examples/function-tools.ts     (default: ollama/llama3.2)
import { createGateway, defineAgent, loadConfig } from "@openclaw/gateway-http";
import { z } from "zod";

const stock = new Map([
  ["apples", 12],
  ["pears", 0],
]);

const shop = defineAgent({
  id: "shop",
  model: process.env.OPENCLAW_MODEL ?? "ollama/llama3.2",
  instructions: "You sell fruit. Look before you promise.",
  tools: {
    getStock: {
      description: "Tells how many pieces of a fruit there are",
      schema: z.object({ fruit: z.string() }),
      run: ({ fruit }) => ({ fruit, pieces: stock.get(fruit) ?? 0 }),
    },
    order: {
      description: "Orders pieces of a fruit for the customer",
      schema: z.object({ fruit: z.string(), pieces: z.number().min(1) }),
      run({ fruit, pieces }) {
        const left = (stock.get(fruit) ?? 0) - pieces;
        if (left < 0) throw new Error(`There are not so many ${fruit}.`); // the model is told, and goes on
        stock.set(fruit, left);
        return `Ordered. ${left} ${fruit} are left.`;
      },
    },
  },
});

const loaded = await loadConfig();
loaded.config.gateway.http.endpoints.chatCompletions.enabled = true;
const gateway = createGateway({ config: loaded, agents: [shop] });
// The config's mcp.servers end with the gateway, not with a process that a signal ends.
const stop = () => void gateway.close({ drainTimeoutMs: 5000 }).finally(() => process.exit());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
const { url, tokenFile } = await gateway.listen();
console.log(
  `${url}\n\nAsk model openclaw/shop for 3 apples; the token is in ${tokenFile ?? "OPENCLAW_GATEWAY_TOKEN"}.`,
);
