/** A frame in three: what every chunk of an answer begins with, what this one says, and what they end with. */
export interface ChunkParts {
  readonly head: string;
  readonly body: string;
  readonly tail: string;
}

const SAYS = '"delta":';
const TAIL = /(?:,"logprobs":null)?,"finish_reason":null\}\](?:,"usage":null)?\}$/;

/** Of a frame that is no chunk everything is body. The three joined are the frame, byte for byte. */
export function toChunkParts(frame: string): ChunkParts {
  // A quote inside a JSON string is escaped, so this cannot be something that a model said.
  const start = frame.startsWith("data: {") ? frame.indexOf(SAYS) : -1;
  if (start === -1) return { head: "", body: frame, tail: "" };
  const end = TAIL.exec(frame)?.index ?? frame.length;
  return { head: frame.slice(0, start), body: frame.slice(start, end), tail: frame.slice(end) };
}
