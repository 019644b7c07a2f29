import type { JSONObject, LanguageModelV4Message, SharedV4ProviderMetadata } from "@ai-sdk/provider";

type AssistantContent = Extract<LanguageModelV4Message, { role: "assistant" }>["content"];

/**
 * A part of an answer that a provider must hear again, with what only the provider understands of it. The words of an
 * answer and its calls stand in the message; of them only the place is kept.
 */
type CarriedPart =
  | { type: "reasoning"; text: string; meta: JSONObject }
  | { type: "text"; length: number; meta?: JSONObject }
  | { type: "call"; id: string; meta?: JSONObject };

/** Gathers the parts of one answer. */
export interface CarryBuilder {
  /** @param block the library's own name for a piece of text or thought */
  add(
    type: "reasoning" | "text",
    block: string,
    piece: { text?: string; meta?: SharedV4ProviderMetadata | undefined },
  ): void;
  addCall(id: string, meta: SharedV4ProviderMetadata | undefined): void;
  /** JSON of what must be heard again; `undefined` when the message says it all. */
  build(): CarriedPart[] | undefined;
}

interface Block {
  type: "reasoning" | "text" | "call";
  id: string;
  text: string;
  /** Of words only this is kept, and no second copy of them. */
  length: number;
  meta: JSONObject | undefined;
}

/** @param key the library's own member in `providerMetadata` */
export function createCarryBuilder(key: string): CarryBuilder {
  const blocks: Block[] = [];
  let last: Block | undefined;

  function blockOf(type: Block["type"], id: string): Block {
    if (last?.type === type && last.id === id) return last;
    let block = blocks.find((other) => other.type === type && other.id === id);
    if (!block) {
      block = { type, id, text: "", length: 0, meta: undefined };
      blocks.push(block);
    }
    last = block;
    return block;
  }

  return {
    add(type, id, { text = "", meta }) {
      const block = blockOf(type, id);
      block.length += text.length;
      if (type === "reasoning") block.text += text;
      // The later word counts: signatures come at the end.
      if (meta?.[key]) block.meta = { ...block.meta, ...meta[key] };
    },
    addCall(id, meta) {
      const block = blockOf("call", id);
      if (meta?.[key]) block.meta = { ...block.meta, ...meta[key] };
    },
    build() {
      if (!blocks.some((block) => block.meta)) return undefined;
      return blocks.flatMap((block): CarriedPart[] => {
        const { type, id, text, length, meta } = block;
        if (type === "call") return [{ type, id, ...(meta && { meta }) }];
        if (type === "text") return length > 0 || meta ? [{ type, length, ...(meta && { meta }) }] : [];
        // A thought that nobody signed need not be heard again.
        return meta ? [{ type, text, meta }] : [];
      });
    },
  };
}

/**
 * The parts of an answer, put back among what was carried.
 * @param data what `build` gave
 * @param plain the words and calls of the message
 */
export function withCarry(data: unknown, plain: AssistantContent, key: string): AssistantContent {
  if (!Array.isArray(data)) return plain;
  const carried = data as readonly CarriedPart[];
  const own = (meta: JSONObject | undefined) => meta && { providerOptions: { [key]: meta } };
  const calls = new Map(plain.flatMap((part) => (part.type === "tool-call" ? [[part.toolCallId, part] as const] : [])));
  let text = plain.find((part) => part.type === "text")?.text ?? "";
  const lengths = carried.map((part) => (part.type === "text" ? part.length : 0));
  // Words that are not those of the answer (a client's, or cut short) stay in one piece.
  const isSame = lengths.reduce((sum, length) => sum + length, 0) === text.length;
  const parts: AssistantContent = [];
  for (const part of carried) {
    if (part.type === "reasoning") {
      parts.push({ type: "reasoning", text: part.text, ...own(part.meta) });
    } else if (part.type === "call") {
      const call = calls.get(part.id);
      if (call) parts.push({ ...call, ...own(part.meta) });
      calls.delete(part.id);
    } else {
      const said = isSame ? text.slice(0, part.length) : text;
      text = text.slice(said.length);
      if (said !== "" || (isSame && part.meta)) parts.push({ type: "text", text: said, ...own(part.meta) });
    }
  }
  const rest = text === "" ? [] : [{ type: "text" as const, text }];
  return [...parts, ...rest, ...calls.values()];
}
