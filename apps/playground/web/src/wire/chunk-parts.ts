/** A frame in parts, which joined are the frame, byte for byte. Of a frame that is no chunk all but its id is body. */
export interface ChunkParts {
  /** What the ids of an answer's events begin with, and what ends this one, with its line's end. */
  readonly idHead: string;
  readonly idTail: string;
  /** What every chunk of an answer begins with, what this one says, and what they end with. */
  readonly head: string;
  readonly body: string;
  readonly tail: string;
}

const ID = /^(id: .*:)(\d+\r?\n)/;
const SAYS = '"delta":';
const TAIL = /(?:,"logprobs":null)?,"finish_reason":null\}\](?:,"usage":null)?\}$/;

export function toChunkParts(frame: string): ChunkParts {
  const [id = "", idHead = "", idTail = ""] = ID.exec(frame) ?? [];
  const data = frame.slice(id.length);
  // A quote inside a JSON string is escaped, so this cannot be something that a model said.
  const start = data.startsWith("data: {") ? data.indexOf(SAYS) : -1;
  if (start === -1) return { idHead, idTail, head: "", body: data, tail: "" };
  const end = TAIL.exec(data)?.index ?? data.length;
  return { idHead, idTail, head: data.slice(0, start), body: data.slice(start, end), tail: data.slice(end) };
}
