/** A frame in parts, which joined are the frame, byte for byte. Of a frame that is no chunk all but its id is body. */
export interface ChunkParts {
  /** What the ids of an answer's events begin with, and what ends this one, with its line's end. */
  readonly idHead: string;
  readonly idTail: string;
  /** What every chunk of an answer begins with, an empty delta before activity, what is said, and what they end with. */
  readonly head: string;
  readonly gap: string;
  readonly body: string;
  readonly tail: string;
}

const ID = /^(id: .*:)(\d+\r?\n)/;
const SAYS = '"delta":';
/** What the agent does follows a delta that says nothing. */
const GAP = /^"delta":\{\},"finish_reason":null\}\](?:,"usage":null)?,(?="openclaw":)/;
const TAIL = /(?:,"logprobs":null)?,"finish_reason":null\}\](?:,"usage":null)?\}$/;

export function toChunkParts(frame: string): ChunkParts {
  const [id = "", idHead = "", idTail = ""] = ID.exec(frame) ?? [];
  const data = frame.slice(id.length);
  // A quote inside a JSON string is escaped, so this cannot be something that a model said.
  const start = data.startsWith("data: {") ? data.indexOf(SAYS) : -1;
  if (start === -1) return { idHead, idTail, head: "", gap: "", body: data, tail: "" };
  const end = TAIL.exec(data)?.index ?? data.length;
  const gap = GAP.exec(data.slice(start))?.[0] ?? "";
  const body = data.slice(start + gap.length, end);
  return { idHead, idTail, head: data.slice(0, start), gap, body, tail: data.slice(end) };
}
