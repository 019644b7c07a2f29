import { type AnswerRecord, type CompletionStore, type KeptCompletion, LIMITS } from "./store.ts";

/** Most completions kept in memory. */
const MAX_COMPLETIONS = 10_000;

/** Answers that are kept as long as the process. */
export function createMemoryCompletions(now: () => number = Date.now): CompletionStore {
  // Maps keep the order of insertion, so the first is the oldest.
  const records = new Map<string, AnswerRecord>();
  const completions = new Map<string, { at: number; kept: KeptCompletion }>();
  let recordChars = 0;

  function forgetRecord(id: string): void {
    recordChars -= records.get(id)?.body.length ?? 0;
    records.delete(id);
  }

  function prune(): void {
    for (const [oldest, { at }] of records) {
      const fits = records.size <= LIMITS.records && recordChars <= LIMITS.recordChars;
      if (fits && at > now() - LIMITS.recordMs) break;
      forgetRecord(oldest);
    }
    for (const [oldest, { at }] of completions) {
      if (completions.size <= MAX_COMPLETIONS && at > now() - LIMITS.completionMs) break;
      completions.delete(oldest);
    }
  }

  function find(owner: string, id: string): KeptCompletion | undefined {
    const found = completions.get(id);
    return found && found.kept.owner === owner && found.at > now() - LIMITS.completionMs ? found.kept : undefined;
  }

  return {
    async putRecord(record) {
      const id = idOf(record.owner, record.key);
      forgetRecord(id);
      records.set(id, record);
      recordChars += record.body.length;
      prune();
    },
    async findRecord(owner, key) {
      const record = records.get(idOf(owner, key));
      return record && record.at > now() - LIMITS.recordMs ? record : undefined;
    },
    async putCompletion(kept) {
      completions.set(kept.completion.id, { at: now(), kept: structuredClone(kept) });
      prune();
    },
    async findCompletion(owner, id) {
      return find(owner, id);
    },
    async listCompletions({ owner, model, metadata = {}, after, order, limit }) {
      if (after !== undefined && !find(owner, after)) return undefined;
      const all = [...completions.keys()].flatMap((id) => find(owner, id) ?? []);
      if (order === "desc") all.reverse();
      return all
        .slice(after === undefined ? 0 : all.findIndex(({ completion }) => completion.id === after) + 1)
        .filter((kept) => model === undefined || kept.completion.model === model)
        .filter((kept) => Object.entries(metadata).every(([name, value]) => kept.metadata?.[name] === value))
        .slice(0, limit);
    },
    async setMetadata(owner, id, metadata) {
      const found = find(owner, id) && completions.get(id);
      if (found) found.kept = { ...found.kept, metadata };
      return found !== undefined;
    },
    async deleteCompletion(owner, id) {
      return find(owner, id) !== undefined && completions.delete(id);
    },
    async prune() {
      prune();
    },
  };
}

function idOf(owner: string, key: string): string {
  return JSON.stringify([owner, key]);
}
