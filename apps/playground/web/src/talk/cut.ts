/** A time without connection, in the midst of an answer. */
export interface Cut {
  /** How many words had come. */
  readonly afterWords: number;
  readonly at: number;
  /** How often the client tried to come back. */
  readonly tries: number;
  /** Milliseconds until the first piece after it; absent while there is none. */
  readonly lastedMs?: number;
}

/** The client lost its connection, or did not come by another: it tries, or tries again. */
export function addTry(cuts: readonly Cut[], text: string, at: number): readonly Cut[] {
  const last = cuts.at(-1);
  if (last === undefined || last.lastedMs !== undefined) {
    return [...cuts, { afterWords: countWords(text), at, tries: 1 }];
  }
  return [...cuts.slice(0, -1), { ...last, tries: last.tries + 1 }];
}

/** A piece came. */
export function endCut(cuts: readonly Cut[], now: number): readonly Cut[] {
  const last = cuts.at(-1);
  if (last === undefined || last.lastedMs !== undefined) return cuts;
  return [...cuts.slice(0, -1), { ...last, lastedMs: now - last.at }];
}

export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
