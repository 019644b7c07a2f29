import type { AgentEvent } from "../../src/chat/run-event.ts";
import { type ChunkDecoder, createChunkDecoder } from "../../src/models/chunk-decoder.ts";
import { createCallState, type ForeignChunk, toEvents } from "../../src/models/chunk-events.ts";
import { toProviderError } from "../../src/models/provider-error.ts";

export function createDecoder(): ChunkDecoder {
  return createChunkDecoder((error) =>
    toProviderError({
      status: 500,
      body: JSON.stringify({ error }),
      provider: "p",
      model: "m",
      redact: (text) => text,
    }),
  );
}

/** What the decoder makes of these reads. */
export function decode(reads: readonly (string | Uint8Array)[]): {
  events: AgentEvent[];
  decoder: ChunkDecoder;
} {
  const decoder = createDecoder();
  const events = reads.flatMap((read) => decoder.decode(typeof read === "string" ? Buffer.from(read) : read));
  return { events, decoder };
}

/** The same stream read the plain way: whole, event by event, every one parsed. */
export function decodePlainly(stream: string): AgentEvent[] {
  const state = createCallState();
  const events: AgentEvent[] = [];
  const blocks = stream.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  for (const block of blocks.split("\n\n").slice(0, -1)) {
    const lines = block.split("\n").filter((line) => line.startsWith("data:"));
    if (lines.length === 0) continue;
    const data = lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
    if (data.trim() === "[DONE]") break;
    events.push(...toEvents(JSON.parse(data) as ForeignChunk, state));
  }
  return events;
}

/**
 * Words of one kind in a row as one event: those that arrive together leave together, and how a stream is cut into reads
 * must change nothing but that.
 */
export function joined(events: readonly AgentEvent[]): AgentEvent[] {
  const result: AgentEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (last && "text" in last && "text" in event && last.type === event.type) last.text += event.text;
    else result.push({ ...event });
  }
  return result;
}

/** The text of these events. */
export function said(events: readonly AgentEvent[]): string {
  return events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
}
