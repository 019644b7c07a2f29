import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { listen } from "./listen.ts";

interface Message {
  role: string;
  content: string;
}

/** Names and arguments of the tools that it calls. */
export type Calls = readonly (readonly [name: string, args: object])[];

/** A provider whose model thinks, calls these tools at once, and then says what they told it. */
export async function startToolProvider(calls: Calls): Promise<string> {
  const server = createServer(async (request, response) => {
    const { messages, stream } = (await json(request)) as { messages: Message[]; stream: boolean };
    const results = messages.slice(messages.findLastIndex(({ role }) => role === "user") + 1);
    const heard = results.flatMap(({ role, content }) => (role === "tool" ? content : []));
    const message =
      heard.length > 0
        ? { role: "assistant", content: `I found: ${heard.join(" | ")}` }
        : {
            role: "assistant",
            content: null,
            reasoning_content: "I shall ask both.",
            tool_calls: calls.map(([name, args], index) => ({
              index,
              id: `call_${index}`,
              type: "function",
              function: { name, arguments: JSON.stringify(args) },
            })),
          };
    const finish_reason = heard.length > 0 ? "stop" : "tool_calls";
    if (!stream) {
      const body = JSON.stringify({ choices: [{ index: 0, message, finish_reason }] });
      response.writeHead(200, { "content-type": "application/json" }).end(body);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const event = (delta: object, reason: string | null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
    response.end(`${event(message, null)}${event({}, finish_reason)}data: [DONE]\n\n`);
  });
  return listen(server);
}
