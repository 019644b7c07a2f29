import type { SessionRef } from "../sessions/store.ts";
import type { Connection } from "./connection.ts";
import type { FanOut } from "./fan-out.ts";
import { isNear, mayHear } from "./hub.ts";
import type { About } from "./run-audience.ts";
import { Telling } from "./telling.ts";

export interface TellingsOptions {
  about: About;
  session: SessionRef;
  fanOut: FanOut;
  /** Milliseconds between two pieces of text for this many who look on. */
  paceOf(lookingOn: number): number;
  /** What the run said so far. */
  textOf(): string;
}

/** Who hears of a run, and how: those who use the session at once, those who only could less often; each with tools or without. */
export class Tellings {
  readonly #options: TellingsOptions;
  readonly #all = new Map<string, Telling>();
  readonly #counter = { highest: 0 };

  constructor(options: TellingsOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): IterableIterator<Telling> {
    return this.#all.values();
  }

  /** Takes a client among those who hear of the run, or out of them, as it may and wants to hear now. */
  place(connection: Connection): void {
    const { session, fanOut, textOf } = this.#options;
    const wants = !connection.caps.has("session-scoped-events") || connection.messagesOf.has(session.key);
    const telling = wants && mayHear(connection, session) ? this.#for(connection) : undefined;
    if (telling?.audience.has(connection)) return;
    // Who comes later goes on from the others' numbers: it may be one of them, connected again.
    let place = { seq: this.#counter.highest, isBehind: textOf() !== "" };
    for (const other of this) {
      if (!other.audience.has(connection)) continue;
      // It is to hear all, nothing twice, and in its own numbers.
      other.flush();
      telling?.flush();
      fanOut.flush(connection);
      place = other.audience.remove(connection) ?? place;
    }
    telling?.audience.add(connection, place);
  }

  remove(connection: Connection): void {
    for (const { audience } of this) audience.remove(connection);
  }

  /** Tells now what was said so far. */
  flush(): void {
    for (const telling of this) telling.flush();
  }

  #for(connection: Connection): Telling {
    const { session, paceOf, ...options } = this.#options;
    const hasTools = connection.caps.has("tool-events");
    const uses = isNear(connection, session);
    const id = `${uses} ${hasTools}`;
    const known = this.#all.get(id);
    if (known) return known;
    const made = new Telling({ ...options, counter: this.#counter, hasTools, paceOf: uses ? undefined : paceOf });
    this.#all.set(id, made);
    return made;
  }
}
