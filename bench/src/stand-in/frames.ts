import { STAMP_DIGITS, writeStamp } from "../clock.ts";

/**
 * Tokens in one write when flat out: about 2 KB. Bigger writes flatter whoever handles bytes against whoever handles
 * events, and no provider has 16 KB of one answer ready at once.
 */
export const BATCH = 8;

const HOLE = "0".repeat(STAMP_DIGITS);
const COMMON = {
  id: "chatcmpl-StandInAnswerD7kQm2xV9bLr4TzW",
  created: 1_764_000_000,
  model: "bench-2026-11-01",
  service_tier: "default",
  system_fingerprint: "fp_57a4d10000",
};

/** Byte buffers of one kind of answer, prepared once with their chunked coding; a token costs a copy and ten digits. */
export type Frames = { role: Buffer; tokens(count: number, micros: number): Buffer; end(tokens: number): Buffer };

export const plainFrames = createFrames(false);
/** OpenAI puts `"usage":null` on every chunk when usage was asked for, and the sum on a last chunk without choices. */
export const usageFrames = createFrames(true);

function createFrames(withUsage: boolean): Frames {
  const frame = (delta: object, finish: string | null) =>
    toFrame({
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(withUsage && { usage: null }),
    });
  const token = frame({ content: `t${HOLE};` }, null);
  const templates = Array.from({ length: BATCH + 1 }, (_, count) => toHttpChunk(token.repeat(count)));
  const finish = frame({}, "stop");
  return {
    role: toHttpChunk(frame({ role: "assistant", content: "", refusal: null }, null)),
    tokens: (count, micros) => stampAll(templates[count] as Buffer, token.length, micros),
    end: (tokens) => {
      const usage = withUsage ? toFrame({ choices: [], usage: toUsage(tokens) }) : "";
      return Buffer.from(`${finish}${usage}data: [DONE]\n\n`, "latin1");
    },
  };
}

function toHttpChunk(text: string): Buffer {
  return Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`, "latin1");
}

function toFrame(rest: object): string {
  return `data: ${JSON.stringify({ ...COMMON, object: "chat.completion.chunk", ...rest })}\n\n`;
}

/** A copy of `template` with the same stamp in every hole: a socket may keep the buffer, so the template is not reused. */
function stampAll(template: Buffer, width: number, micros: number): Buffer {
  const bytes = Buffer.allocUnsafe(template.length);
  template.copy(bytes);
  const hole = template.indexOf(HOLE);
  writeStamp(bytes, hole, micros);
  for (let offset = hole + width; offset < bytes.length; offset += width)
    bytes.copyWithin(offset, hole, hole + STAMP_DIGITS);
  return bytes;
}

const completions = new Map<number, { template: Buffer; hole: number }>();

/** The whole answer as one JSON document, for a request without `stream`. */
export function toCompletion(tokens: number, micros: number): Buffer {
  let prepared = completions.get(tokens);
  if (!prepared) {
    const message = { role: "assistant", content: `t${HOLE};`.repeat(tokens), refusal: null, annotations: [] };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
    const json = JSON.stringify({ ...COMMON, object: "chat.completion", choices, usage: toUsage(tokens) });
    prepared = { template: Buffer.from(json, "latin1"), hole: json.indexOf(HOLE) };
    completions.set(tokens, prepared);
  }
  const { template, hole } = prepared;
  const bytes = Buffer.from(template);
  for (let token = 0; token < tokens; token++) writeStamp(bytes, hole + token * (STAMP_DIGITS + 2), micros);
  return bytes;
}

function toUsage(tokens: number): object {
  return {
    prompt_tokens: 24,
    completion_tokens: tokens,
    total_tokens: 24 + tokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}
