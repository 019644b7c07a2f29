import { startWithProvider } from "../support/provider-gateway.ts";
import { chunk, completion, type Script } from "../support/stand-in-provider.ts";
import { CALLS } from "./sdk-clients.ts";

type Exchange = Parameters<Script>[0];

const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };

export type GatewayWithCalls = Awaited<ReturnType<typeof startWithCalls>>;

/** A gateway whose provider's model makes both calls at first, and says "5 at noon" when it is asked again. */
export function startWithCalls() {
  return startWithProvider({
    async script(exchange, index) {
      const { stream } = exchange.json;
      if (index > 0) {
        if (!stream) return exchange.answer(200, completion("5 at noon", { usage: USAGE }));
        await exchange.open().say("5 at noon");
        return exchange.finish("stop", USAGE);
      }
      if (stream) return writeCalls(exchange.open(), Promise.resolve());
      const message = { role: "assistant", content: null, tool_calls: CALLS };
      exchange.answer(200, { choices: [{ index: 0, message, finish_reason: "tool_calls" }], usage: USAGE });
    },
  });
}

/** Writes both calls by turns, and waits after the first piece of arguments until that has been `seen`. */
export async function writeCalls(exchange: Exchange, seen: Promise<void>): Promise<void> {
  const piece = (index: number, more: object) => exchange.event(chunk({ tool_calls: [{ index, ...more }] }));
  const begin = (index: number) => {
    const call = CALLS[index];
    return piece(index, { ...call, function: { name: call?.function.name, arguments: "" } });
  };
  await begin(0);
  await piece(0, { function: { arguments: '{"a"' } });
  await seen;
  await begin(1);
  await piece(1, { function: { arguments: "{" } });
  await piece(0, { function: { arguments: ": 4" } });
  await piece(1, { function: { arguments: "}" } });
  await piece(0, { function: { arguments: "}" } });
  exchange.finish("tool_calls", USAGE);
}

/** The messages of a provider's request, without the members that clients may or may not write. */
export function messagesOf(exchange: Exchange | undefined) {
  return exchange?.json.messages.map((message) => {
    const { role, content, tool_calls, tool_call_id } = message as Record<string, unknown>;
    return tool_calls ? { role, tool_calls } : { role, content, ...(tool_call_id !== undefined && { tool_call_id }) };
  });
}
