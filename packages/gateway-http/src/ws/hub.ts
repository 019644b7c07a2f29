import type { SocketEventName, SocketEventPayload } from "@openclaw/protocol/socket";
import type { SessionRef } from "../sessions/store.ts";
import type { Connection } from "./connection.ts";
import { FanOut } from "./fan-out.ts";

/** All connections, and which of them hear of what. */
export class Hub {
  readonly fanOut: FanOut;
  readonly #connections = new Set<Connection>();

  /** @param onBug told what hindered the telling of an event */
  constructor(onBug: (error: unknown, context: { event: string }) => void) {
    this.fanOut = new FanOut(onBug);
  }

  get size(): number {
    return this.#connections.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#connections.values();
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Those who hear of a session and of its runs. */
  *audience(session: SessionRef): Generator<Connection> {
    for (const connection of this.#connections) if (mayHear(connection, session)) yield connection;
  }

  /**
   * Tells of a session.
   * @param who of the audience; absent: all
   */
  tell<Name extends SocketEventName>(
    session: SessionRef,
    event: Name,
    payload: SocketEventPayload<Name>,
    who?: (connection: Connection) => boolean,
  ): void {
    this.tellAll(session, event, [payload], who);
  }

  /** The same with several of one event, in this order. */
  tellAll<Name extends SocketEventName>(
    session: SessionRef,
    event: Name,
    payloads: readonly SocketEventPayload<Name>[],
    who: (connection: Connection) => boolean = () => true,
  ): void {
    const near: Connection[] = [];
    const lookOn: Connection[] = [];
    for (const connection of this.audience(session)) {
      if (who(connection)) (isNear(connection, session) ? near : lookOn).push(connection);
    }
    const encoders = payloads.map((payload) => createPayload(session.owner, payload));
    const job = {
      ...{ event, frames: payloads.length },
      encode: (connection: Connection, frame: number) => encoders[frame]?.(connection) ?? "{}",
      // It may have lost the right, or its interest, before its turn.
      isFor: (connection: Connection) => mayHear(connection, session) && who(connection),
    };
    this.fanOut.tellNow({ ...job, members: near });
    this.fanOut.add({ ...job, members: lookOn });
  }
}

/** Whether a connection hears of a session. */
export function mayHear(connection: Connection, { owner, key }: SessionRef): boolean {
  if (!connection.hears) return false;
  if (connection.caller.owner === owner) return true;
  // Under a key that it uses it knows a session of its own: two talks in one would be told of as one.
  return connection.hearsOthers(key) && !connection.uses(key);
}

/** Whether it uses the session, and does not only look on. */
export function isNear(connection: Connection, { owner, key }: SessionRef): boolean {
  return connection.caller.owner === owner && connection.uses(key);
}

/** JSON of a payload for each that hears it, made at most twice: who hears of another owner's is told whose it is. */
export function createPayload(owner: string, payload: object): (connection: Connection) => string {
  let own: string | undefined;
  let foreign: string | undefined;
  return ({ caller }) => {
    if (caller.owner === owner) {
      own ??= JSON.stringify(payload);
      return own;
    }
    foreign ??= JSON.stringify({ ...payload, owner });
    return foreign;
  };
}
