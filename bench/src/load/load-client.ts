import { type Ask, toAskText } from "../ask.ts";
import { microsNow } from "../clock.ts";
import { readCpuMicros, readRssKib } from "../proc-stats.ts";
import { HttpSocket } from "./http-socket.ts";
import { type Message, type Target, toRequestBytes } from "./request.ts";
import { StampReader, type Tally } from "./stamp-reader.ts";

/** One scenario against one target, or two gateways that are compared with each other. */
export type Job = {
  scenario: string;
  plan: unknown;
  deadlineMs: number;
  target: Target;
  second?: Target;
  standIn: Target;
};
export type Figures = Record<string, number>;
export type Answer = { firstMs: number; reader: StampReader };

/** Which of its own answers a scenario wants to hear about; `tally` counts one apart from the others. */
type Hooks = { onSocket?(socket: HttpSocket): void; isAbandoned?(): boolean; tally?: Tally };

const MAX_FAILURES = 20;

/** What a scenario works with: streams to open, figures to read, and the account of what was asked for and received. */
export class LoadClient {
  readonly tally: Tally = { tokens: 0, transits: [], isRecording: false };
  readonly failures: string[] = [];
  expected = 0;
  received = 0;
  readonly job: Job;

  constructor(job: Job) {
    this.job = job;
  }

  get isBroken(): boolean {
    return this.failures.length >= MAX_FAILURES;
  }

  newSocket(target = this.job.target): HttpSocket {
    return new HttpSocket(target.port);
  }

  /** The bytes of a request, made once for a scenario: building them must not be part of the load. */
  toRequest(ask: Partial<Ask> & { tokens: number }, stream = true): Buffer {
    const messages: Message[] = [
      { role: "user", content: "You will be asked to count. Are you ready?" },
      { role: "assistant", content: "Yes. Tell me how far and how fast." },
      { role: "user", content: toAskText(ask) },
    ];
    return toRequestBytes(this.job.target, { stream, messages });
  }

  /** One request to its end. It never rejects: what went wrong is in `failures`, so that a run always has figures. */
  ask(socket: HttpSocket, request: Buffer, tokens: number, stream = true, hooks: Hooks = {}): Promise<Answer> {
    const reader = new StampReader(hooks.tally ?? this.tally);
    const sentAt = microsNow();
    let status = 0;
    this.expected += tokens;
    return new Promise((resolve) => {
      socket.send(request, {
        onHead: (code) => {
          status = code;
        },
        onBody: (slice) => reader.feed(slice),
        onEnd: (failure) => {
          reader.finish();
          if (hooks.isAbandoned?.()) this.expected -= tokens - reader.tokens;
          else this.#judge(reader, tokens, status, stream, failure);
          this.received += reader.tokens;
          resolve({ firstMs: (reader.firstAt - sentAt) / 1000, reader });
        },
      });
      hooks.onSocket?.(socket);
    });
  }

  #judge(reader: StampReader, tokens: number, status: number, stream: boolean, failure: string | null): void {
    const isWhole = reader.tokens === tokens && reader.hasFinish && (reader.hasDone || !stream);
    if (status === 200 && failure === null && isWhole) return;
    const reason = failure ?? (isWhole ? "complete" : "cut short or without its end");
    this.failures.push(`status ${status}, ${reader.tokens} of ${tokens} tokens, ${reason}: ${reader.lastWords}`);
  }

  /** Counts from now to `close()`: tokens and CPU of the target, and how busy the load's own side was. */
  openWindow(): () => Figures {
    const start = this.#readMeters();
    return () => {
      const stop = this.#readMeters();
      const seconds = (stop.micros - start.micros) / 1e6;
      return {
        seconds,
        tokens: stop.tokens - start.tokens,
        targetCpuMicros: stop.targetCpu - start.targetCpu,
        targetShare: (stop.targetCpu - start.targetCpu) / 1e6 / seconds,
        loadShare: (stop.loadCpu - start.loadCpu) / 1e6 / seconds,
      };
    };
  }

  #readMeters() {
    const { target, standIn } = this.job;
    return {
      micros: microsNow(),
      tokens: this.tally.tokens,
      targetCpu: target.pid === null ? Number.NaN : readCpuMicros(target.pid),
      loadCpu: readCpuMicros(process.pid) + readCpuMicros(standIn.pid ?? 0),
    };
  }

  /** NaN where the target's process is not known, which is left out of the tables. */
  readRssKib(): number {
    return this.job.target.pid === null ? Number.NaN : readRssKib(this.job.target.pid);
  }

  async control(command: "release" | "stats"): Promise<Record<string, number>> {
    const answer = await fetch(`http://127.0.0.1:${this.job.standIn.port}/control/${command}`);
    return (await answer.json()) as Record<string, number>;
  }
}

export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}
