import {
  type AnswerRecord,
  type CompletionStore,
  type CompletionStoreOptions,
  idOfRecord,
  type KeptCompletion,
  LIMITS,
} from "./store.ts";

/** Most completions kept in memory, and most characters of them. */
const MAX_COMPLETIONS = 10_000;
const MAX_COMPLETION_CHARS = 64 * 1024 * 1024;

interface Completion {
  at: number;
  kept: KeptCompletion;
  messages: readonly object[];
  size: number;
}

/** Answers that are kept as long as the process. */
export function createMemoryCompletions({
  now = Date.now,
  limits = LIMITS,
}: CompletionStoreOptions = {}): CompletionStore {
  // Maps keep the order of insertion, so the first is the oldest.
  const records = new Map<string, AnswerRecord>();
  const completions = new Map<string, Completion>();
  let recordChars = 0;
  let completionChars = 0;

  function forgetRecord(id: string): void {
    recordChars -= records.get(id)?.body.length ?? 0;
    records.delete(id);
  }

  function forgetCompletion(id: string): boolean {
    completionChars -= completions.get(id)?.size ?? 0;
    return completions.delete(id);
  }

  function prune(): void {
    for (const [oldest, { at }] of records) {
      const fits = records.size <= limits.records && recordChars <= limits.recordChars;
      if (fits && at > now() - limits.recordMs) break;
      forgetRecord(oldest);
    }
    for (const [oldest, { at }] of completions) {
      const fits = completions.size <= MAX_COMPLETIONS && completionChars <= MAX_COMPLETION_CHARS;
      if (fits && at > now() - limits.completionMs) break;
      forgetCompletion(oldest);
    }
  }

  function find(owner: string, id: string): KeptCompletion | undefined {
    const found = completions.get(id);
    return found && found.kept.owner === owner && found.at > now() - limits.completionMs ? found.kept : undefined;
  }

  return {
    async putRecord(record) {
      const id = idOfRecord(record);
      forgetRecord(id);
      records.set(id, record);
      recordChars += record.body.length;
      prune();
    },
    async findRecord(owner, key) {
      const record = records.get(idOfRecord({ owner, key }));
      return record && record.at > now() - limits.recordMs ? record : undefined;
    },
    async putCompletion(kept, messages) {
      const copy = structuredClone({ kept, messages });
      const size = JSON.stringify(copy).length;
      completions.set(kept.completion.id, { at: now(), ...copy, size });
      completionChars += size;
      prune();
    },
    async findCompletion(owner, id) {
      return find(owner, id);
    },
    async findMessages(owner, id) {
      return find(owner, id) && completions.get(id)?.messages;
    },
    async listCompletions({ owner, model, metadata = [], after, order, limit }) {
      if (after !== undefined && !find(owner, after)) return undefined;
      const all = [...completions.keys()].flatMap((id) => find(owner, id) ?? []);
      if (order === "desc") all.reverse();
      return all
        .slice(after === undefined ? 0 : all.findIndex(({ completion }) => completion.id === after) + 1)
        .filter((kept) => model === undefined || kept.completion.model === model)
        .filter((kept) => [...metadata].every(([name, value]) => has(kept.metadata, name, value)))
        .slice(0, limit);
    },
    async setMetadata(owner, id, metadata) {
      const found = find(owner, id) && completions.get(id);
      if (found) found.kept = { ...found.kept, metadata };
      return found !== undefined;
    },
    async deleteCompletion(owner, id) {
      return find(owner, id) !== undefined && forgetCompletion(id);
    },
    async prune() {
      prune();
    },
  };
}

function has(metadata: KeptCompletion["metadata"], name: string, value: string): boolean {
  return metadata !== null && Object.hasOwn(metadata, name) && metadata[name] === value;
}
