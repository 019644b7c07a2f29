import { HEADERS } from "@openclaw/protocol";
import { type CompletionStore, idOfRecord } from "../completions/store.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type AnswerLog, fromRecord } from "./answer-log.ts";
import { type KeyedRequest, recordRun, type StartRun } from "./record-run.ts";

export interface Journal {
  /**
   * The answer under the request's key: the one there is, or else a new one. However many ask at the same time, one run
   * is started.
   * @param continues whether it goes on with an answer: if there is none, nothing is started
   * @throws GatewayError 409 `idempotency_key_conflict`, `resume_lost`; what `start` throws
   */
  open(request: KeyedRequest, continues: boolean, start: StartRun): Promise<{ log: AnswerLog; replayed: boolean }>;
  /** Whether there is an answer under this key in memory: one under way, or just over. */
  has(request: Pick<KeyedRequest, "owner" | "key">): boolean;
  /** Sends those who watch a stream away, to come back later; its run goes on. */
  dismiss(error: GatewayError): void;
}

export interface JournalOptions {
  store: CompletionStore;
  /** Milliseconds a run goes on when nobody watches. */
  resumeWindowMs: number;
}

/** Which answers are under which keys: those under way in memory, those of before in the store. */
export function createJournal({ store, resumeWindowMs }: JournalOptions): Journal {
  /** Under way, being looked for, or just over and not yet in the store. */
  const known = new Map<string, Promise<AnswerLog>>();
  const logs = new Set<AnswerLog>();

  async function find(id: string, request: KeyedRequest, continues: boolean, start: StartRun) {
    const opening = known.get(id);
    if (opening) {
      const log = await opening.catch(() => undefined);
      // A failure that may be tried again is only for whoever was in the midst of it: its key is free.
      if (log && (continues || log.error?.retry !== true)) return { log, replayed: true };
      forget(id, opening);
      return undefined;
    }
    let replayed = true;
    const found = store.findRecord(request.owner, request.key).then((record) => {
      if (record) return fromRecord(record);
      if (continues) throw resumeLost("The answer to come back to is not here any more.");
      replayed = false;
      const log = recordRun(request, start, {
        store,
        resumeWindowMs,
        onKept() {
          logs.delete(log);
          forget(id, found);
        },
      });
      logs.add(log);
      return log;
    });
    known.set(id, found);
    try {
      const log = await found;
      // What is in the store need not be in memory.
      if (replayed) forget(id, found);
      return { log, replayed };
    } catch (error) {
      forget(id, found);
      throw error;
    }
  }

  function forget(id: string, only: Promise<AnswerLog>): void {
    if (known.get(id) === only) known.delete(id);
  }

  return {
    async open(request, continues, start) {
      const id = idOfRecord(request);
      let found: Awaited<ReturnType<typeof find>>;
      do found = await find(id, request, continues, start);
      while (!found);
      if (found.log.fingerprint !== request.fingerprint) {
        throw new GatewayError("idempotency_key_conflict", "This idempotency key was used for another request.", {
          param: HEADERS.idempotencyKey,
        });
      }
      return found;
    },
    has: (request) => known.has(idOfRecord(request)),
    dismiss(error) {
      for (const log of logs) log.dismiss(error);
    },
  };
}

export function resumeLost(message: string): GatewayError {
  return new GatewayError("resume_lost", message, { param: HEADERS.lastEventId });
}
