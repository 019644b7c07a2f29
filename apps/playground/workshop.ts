import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentEvent, type AgentTurn, defineAgent } from "@openclaw/gateway-http";
import { findSum, runTool, type ToolResult } from "./workshop-tools.ts";

/** Of a word. Milliseconds. */
const PAUSE_MS = 35;

interface Use {
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
}

/** An agent that shows its work and needs no provider for it: it thinks aloud and has tools of its own. */
export const workshop = defineAgent({
  id: "workshop",
  name: "Workshop",
  description:
    "thinks aloud and uses tools of its own: a clock, a counter of words, a calculator. Give it 12 * 7, or 1 / 0.",
  exposeReasoning: "reasoning_content",
  async *run({ messages }, { signal }) {
    const question = toText(messages.at(-1));
    const sum = findSum(question);

    yield* think("I can read the clock and count the words at the same time: neither needs the other.", signal);
    const uses: Use[] = [
      { name: "read_clock", args: {} },
      { name: "count_words", args: { text: question } },
    ];
    const [time, words] = yield* use(uses, null, signal);
    yield* think(`Both are back. ${sum ? "The numbers are a matter for the calculator." : "That is all."}`, signal);
    const said = `It is ${time?.text}. I was told ${words?.text === "1" ? "1 word" : `${words?.text} words`}.`;
    yield* say(said, signal);
    if (!sum) return yield* say("\n\nWith numbers I could do more: 12 * 7, or 1 / 0 to see a tool fail.", signal);

    const [result] = yield* use([{ name: "calculate", args: sum }], said, signal);
    const { left, operator, right } = sum;
    const asked = `${left} ${operator} ${right}`;
    yield* say(
      `\n\n${result?.ok ? `${asked} is ${result.text}.` : `${asked} I cannot tell: the tool failed.`}`,
      signal,
    );
  },
});

function toText(message: AgentTurn["messages"][number] | undefined): string {
  const content = message?.content ?? "";
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "")).join(" ");
}

async function* think(text: string, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  for (const word of toWords(text)) {
    yield { type: "reasoning-delta", text: word };
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

async function* say(text: string, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  for (const word of toWords(text)) {
    yield { type: "text-delta", text: word };
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

/** Each with what is before it, so that joined they are the text. */
function toWords(text: string): string[] {
  return text.match(/\s*\S+/g) ?? [];
}

/**
 * Runs tools side by side and tells of it twice: what happens as it happens, for whoever watches, and as steps, for the
 * session to keep.
 * @param said the words before it that belong to this step
 */
async function* use(
  uses: readonly Use[],
  said: string | null,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent | AgentEvent[], ToolResult[]> {
  const calls = uses.map((one) => ({ ...one, id: `call_${randomUUID().slice(0, 8)}` }));
  const tool_calls = calls.map(({ id, name, args }) => ({
    id,
    type: "function" as const,
    function: { name, arguments: JSON.stringify(args) },
  }));
  yield { type: "step", message: { role: "assistant", content: said, tool_calls } };
  yield calls.map(({ id, name }) => ({ type: "tool-start", id, name }));

  const running = new Map(
    calls.map(({ id, name, args }) => [id, runTool(name, args, signal).then((result) => ({ id, ...result }))]),
  );
  const all = Promise.all(running.values());
  // An abort ends them all, and by then nobody may wait here any more.
  all.catch(() => {});
  while (running.size > 0) {
    const { id, ok } = await Promise.race(running.values());
    running.delete(id);
    yield { type: "tool-end", id, ok };
  }
  const results = await all;
  yield results.map(({ id, text }) => ({
    type: "step",
    message: { role: "tool", tool_call_id: id, content: text },
  }));
  return results;
}
