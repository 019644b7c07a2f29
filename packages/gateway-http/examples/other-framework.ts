// An agent of another framework behind the gateway: here one of the `ai` package, with a tool of its own.
//
//   OPENAI_BASE_URL=https://api.openai.com/v1 OPENAI_API_KEY=… MODEL=gpt-5-mini node examples/other-framework.ts
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { type AgentOutput, createGateway, defineAgent } from "@openclaw/gateway-http";
import { isStepCount, streamText, type TextStreamPart, type ToolSet, tool } from "ai";
import { z } from "zod";

const { OPENAI_BASE_URL: baseURL = "http://127.0.0.1:11434/v1", OPENAI_API_KEY: apiKey = "", MODEL } = process.env;
const model = createOpenAICompatible({ name: "theirs", baseURL, apiKey })(MODEL ?? "llama3.2");
const execute = ({ sides }: { sides: number }) => 1 + Math.floor(Math.random() * sides);
const rollDie = tool({ description: "Rolls a die", inputSchema: z.object({ sides: z.number() }), execute });

/** What callers are to see of what the framework says. */
function toOutput(part: TextStreamPart<ToolSet>): AgentOutput {
  if (part.type === "text-delta" || part.type === "reasoning-delta") return { type: part.type, text: part.text };
  if (part.type === "tool-call") return { type: "tool-start", id: part.toolCallId, name: part.toolName };
  if (part.type === "tool-result") return { type: "tool-end", id: part.toolCallId, ok: true };
  if (part.type === "tool-error") return { type: "tool-end", id: part.toolCallId, ok: false };
  if (part.type === "error") throw part.error;
  return [];
}

const dice = defineAgent({
  id: "dice",
  async *run({ messages }, { signal }) {
    // Texts only: a caller may also send parts, with images.
    const talk = messages.flatMap(({ role, content }) => (role === "tool" ? [] : { role, content: String(content) }));
    const options = { model, tools: { rollDie }, stopWhen: isStepCount(5), abortSignal: signal };
    // An error is thrown from the stream, so nothing else need print it.
    const { stream } = streamText({ ...options, messages: talk, onError: () => {} });
    for await (const part of stream) yield toOutput(part);
  },
});

const config = { gateway: { http: { endpoints: { chatCompletions: { enabled: true } } } } };
const { url, tokenFile } = await createGateway({ config, agents: [dice] }).listen();
console.log(
  `${url}\n\nAsk model openclaw/dice to roll a die; the token is in ${tokenFile ?? "OPENCLAW_GATEWAY_TOKEN"}.`,
);
