import { mkdir } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { ConfigError } from "../../errors/config-error.ts";
import { StateLockedError } from "../../errors/state-locked-error.ts";
import type { Answers, Batch, Opened, OpenOptions, Operation, Outcome } from "./operations.ts";

interface Waiting {
  operation: Operation;
  resolve(value: never): void;
  reject(error: Error): void;
}

const IS_SOURCE = import.meta.url.endsWith(".ts");
/** This file runs as it is, or from the folder it was bundled to. */
const THREAD = new URL(IS_SOURCE ? "./thread.ts" : "./sqlite-thread.js", import.meta.url);
/**
 * Not the process's: what these load (`--import` of a tracing SDK) would start once more in the thread, also by way of
 * NODE_OPTIONS. Sources find each other under a condition.
 */
const FLAGS = { execArgv: IS_SOURCE ? ["--conditions=@openclaw/source"] : [], env: {} };

/**
 * The way to the database's thread. While one batch is being written the next one gathers, so under load many
 * operations share one transaction and one sync, and a single one waits for nothing. First come, first done.
 */
export class Connection {
  readonly #options: OpenOptions;
  #opened: Promise<Worker> | undefined;
  #worker: Worker | undefined;
  #gathering: Waiting[] = [];
  #underWay: Waiting[] = [];
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(options: OpenOptions) {
    this.#options = options;
  }

  /**
   * The other calls do it by themselves.
   * @throws StateLockedError; ConfigError when the folder cannot be used
   */
  async open(): Promise<void> {
    if (this.#closed) throw new Error("the database is closed");
    this.#opened ??= this.#start().catch((error) => {
      this.#opened = undefined;
      throw error instanceof StateLockedError ? error : unusable(this.#options.folder, error);
    });
    this.#worker = await this.#opened;
  }

  get isOpen(): boolean {
    return this.#worker !== undefined;
  }

  /** What is asked for in one go, without waiting in between, is done in one transaction. */
  do<K extends Operation["kind"]>(operation: Extract<Operation, { kind: K }>): Promise<Answers[K]> {
    return new Promise<Answers[K]>((resolve, reject) => {
      this.#gathering.push({ operation, resolve, reject });
      if (this.#gathering.length > 1 || this.#underWay.length > 0) return;
      if (this.#worker) queueMicrotask(() => this.#send());
      else {
        this.open().then(
          () => this.#send(),
          (error) => this.#fail(error),
        );
      }
    });
  }

  /** Once everything that was asked for is done. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const worker = await this.#opened?.catch(() => undefined);
    if (worker && this.#underWay.length + this.#gathering.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#closed = true;
    if (!worker) return;
    worker.ref();
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage("close");
    await exited;
  }

  async #start(): Promise<Worker> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    return new Promise((resolve, reject) => {
      const worker = new Worker(THREAD, { workerData: this.#options, name: "sessions", ...FLAGS });
      worker.once("message", (message: Opened) => {
        if (!message.opened) {
          const { folder } = this.#options;
          return reject(message.locked ? new StateLockedError(folder) : new Error(message.error));
        }
        // An idle database keeps no process alive.
        worker.unref();
        worker.on("message", (outcomes: Outcome[]) => this.#settle(outcomes));
        resolve(worker);
      });
      const onEnd = (error: Error) => {
        reject(error);
        if (this.#worker === worker) this.#fail(error);
      };
      worker.once("error", onEnd);
      worker.once("exit", () => onEnd(new Error("the sessions' database was closed")));
    });
  }

  #send(): void {
    const batch = this.#gathering;
    if (batch.length === 0 || this.#underWay.length > 0) return;
    this.#gathering = [];
    this.#underWay = batch;
    this.#worker?.ref();
    try {
      this.#worker?.postMessage(batch.map(({ operation }) => operation) satisfies Batch);
    } catch (error) {
      // What cannot be sent is a bug of whoever asked, and no end of the process.
      this.#underWay = [];
      for (const { reject } of batch) reject(error as Error);
      this.#worker?.unref();
      this.#onIdle?.();
    }
  }

  #settle(outcomes: Outcome[]): void {
    const done = this.#underWay;
    this.#underWay = [];
    // The next batch is on its way before anybody hears of this one.
    if (this.#gathering.length > 0) this.#send();
    else {
      this.#worker?.unref();
      this.#onIdle?.();
    }
    done.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index] as Outcome;
      if ("error" in outcome) reject(new Error(`the sessions' database failed: ${outcome.error}`));
      else resolve(outcome.value as never);
    });
  }

  /** The thread is gone, or never came: whoever waits is told, and the next one to ask starts another. */
  #fail(error: Error): void {
    const waiting = [...this.#underWay, ...this.#gathering];
    this.#underWay = [];
    this.#gathering = [];
    this.#opened = undefined;
    this.#worker = undefined;
    this.#onIdle?.();
    for (const { reject } of waiting) reject(error);
  }
}

function unusable(folder: string, cause: unknown): ConfigError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const ways = 'Choose a folder with OPENCLAW_STATE_DIR, or set sessions.store.kind to "memory".';
  return new ConfigError(`${folder}: sessions cannot be stored here: ${reason}. ${ways}`, { cause });
}
