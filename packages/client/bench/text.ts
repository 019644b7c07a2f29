const WORDS = [
  "The",
  " quick",
  " brown",
  " fox",
  " jumps",
  " over",
  " the",
  " lazy",
  " dog",
  ",",
  " naïve",
  " 犬",
  ".",
];

/** The text of a stream's chunk. */
export function wordAt(position: number): string {
  return WORDS[position % WORDS.length] as string;
}

/** What was read, in a few bytes: a text that was kept would count as memory of who read it. */
export interface Digest {
  chunks: number;
  add(text: string): void;
  /** Same only for the same pieces, whole and in order. */
  read(): string;
}

export function createDigest(): Digest {
  let length = 0;
  let hash = 0;
  const digest: Digest = {
    chunks: 0,
    add(text) {
      if (text === "") return;
      digest.chunks++;
      length += text.length;
      hash = (Math.imul(hash, 31) + text.charCodeAt(0) + text.length) | 0;
    },
    read: () => `${digest.chunks} pieces, ${length} characters, ${hash}`,
  };
  return digest;
}

/** What a reader of a whole stream has read. */
export function expectedOf(chunks: number): string {
  const digest = createDigest();
  for (let position = 0; position < chunks; position++) digest.add(wordAt(position));
  return digest.read();
}
