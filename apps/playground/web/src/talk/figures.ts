import type { ChatCompletionChunk } from "@openclaw/client";

/** What was measured of one answer, here in the page. Times are milliseconds since its request was sent. */
export interface Figures {
  readonly firstTokenMs?: number;
  /** When the last piece came. */
  readonly lastMs?: number;
  readonly totalMs?: number;
  /** Pieces with text in them. */
  readonly pieces: number;
  readonly usage?: NonNullable<ChatCompletionChunk["usage"]>;
}

export const NO_FIGURES: Figures = { pieces: 0 };

export function addToFigures(figures: Figures, chunk: ChatCompletionChunk, elapsedMs: number): Figures {
  const usage = chunk.usage ?? figures.usage;
  const says = chunk.choices[0]?.delta.content ? 1 : 0;
  return {
    ...figures,
    ...(says && { firstTokenMs: figures.firstTokenMs ?? elapsedMs, lastMs: elapsedMs }),
    pieces: figures.pieces + says,
    ...(usage && { usage }),
  };
}

export interface Reading {
  readonly label: string;
  readonly value: string;
  readonly unit: string;
}

/** The figures as a person reads them; what is not known yet is a dash. */
export function toReadings({ firstTokenMs, lastMs, totalMs, pieces, usage }: Figures): readonly Reading[] {
  const seconds = ((lastMs ?? 0) - (firstTokenMs ?? 0)) / 1000;
  const tokens = usage?.completion_tokens;
  // The first piece began before the clock of the rate did.
  const rate = tokens === undefined ? (pieces - 1) / seconds : tokens / seconds;
  return [
    { label: "First token", ...toTime(firstTokenMs) },
    { label: "Speed", ...toRate(rate, tokens === undefined ? "pieces/s" : "tokens/s") },
    { label: "Total", ...toTime(totalMs) },
    usage
      ? { label: "Tokens", value: `${usage.prompt_tokens} + ${usage.completion_tokens}`, unit: "in + out" }
      : { label: "Pieces", value: pieces === 0 ? "–" : String(pieces), unit: "" },
  ];
}

export function toTime(ms: number | undefined): Pick<Reading, "value" | "unit"> {
  if (ms === undefined) return { value: "–", unit: "" };
  return ms < 1000 ? { value: ms.toFixed(0), unit: "ms" } : { value: (ms / 1000).toFixed(2), unit: "s" };
}

function toRate(rate: number, unit: string): Pick<Reading, "value" | "unit"> {
  if (!Number.isFinite(rate) || rate <= 0) return { value: "–", unit: "" };
  return { value: rate < 10 ? rate.toFixed(1) : rate.toFixed(0), unit };
}
