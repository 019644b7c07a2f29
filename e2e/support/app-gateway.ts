// A program: a gateway as it is built, with an agent that does what apps want of one. Prints its address, and a line for
// each endless answer that was ended.
import { createGateway, defineAgent, GatewayError } from "../../packages/gateway-http/dist/index.js";

const ARGUMENTS: Record<string, object> = { getWeather: { city: "Paris" } };
const DATA = { city: "Paris", population: 2_102_650, rivers: ["Seine", "Bièvre"] };
const words = (text: string) => text.match(/\S+\s*/g) ?? [];
const soon = (milliseconds = 2) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const main = defineAgent({
  id: "main",
  exposeReasoning: "reasoning_content",
  async *run({ messages, params }, { signal }) {
    const last = messages.at(-1);
    const said = String(last?.content);
    if (last?.role === "tool") yield* words(`It is ${said}.`);
    else if (params.tools) {
      for (const [index, { function: called }] of params.tools.entries()) {
        yield { type: "tool-call-start", index, id: `call_${index}`, name: called.name };
        yield { type: "tool-call-delta", index, arguments: JSON.stringify(ARGUMENTS[called.name] ?? {}) };
      }
      yield { type: "end", finishReason: "tool_calls" };
    } else if (params.response_format?.type === "json_schema") {
      for (const piece of JSON.stringify(DATA).match(/.{1,8}/g) ?? []) {
        yield piece;
        await soon();
      }
    } else if (said.startsWith("Count")) {
      for (const word of words("one two three four")) {
        yield word;
        await soon();
      }
    } else if (said.startsWith("Look")) {
      yield { type: "reasoning-delta", text: "I have to look." };
      yield { type: "tool-start", id: "call_1", name: "search" };
      yield { type: "tool-end", id: "call_1", ok: true };
      yield "Found.";
    } else if (said.startsWith("Talk")) {
      // Not `finally`: whoever ends a run by its signal closes the generator, too.
      signal.addEventListener("abort", () => console.log("ended"), { once: true });
      // Of an answer that nobody ends, the test is to fail, not the machine.
      for (let left = 1000; left > 0 && !signal.aborted; left--) {
        yield "and so on ";
        await soon(10);
      }
    } else if (said.startsWith("Fail")) {
      yield "And then";
      throw new GatewayError("context_length_exceeded", "Too long.");
    } else if (said.startsWith("What did I say")) yield `${messages[0]?.content}`;
    else yield* words(`You said: ${said}`);
    yield { type: "usage", usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } };
  },
});

const gateway = createGateway({
  config: {
    logging: { level: "silent" },
    gateway: {
      port: 0,
      auth: { mode: "token", token: process.env.OPENCLAW_GATEWAY_TOKEN },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
  },
  agents: [main],
});
console.log((await gateway.listen()).url);
