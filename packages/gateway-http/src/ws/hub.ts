import type { SocketEventName, SocketEventPayload } from "@openclaw/protocol/socket";
import type { SessionRef } from "../sessions/store.ts";
import type { Connection } from "./connection.ts";
import { FanOut } from "./fan-out.ts";

/** All connections, and which of them hear of what. */
export class Hub {
  /** For those who look on. */
  readonly fanOut = new FanOut();
  readonly #connections = new Set<Connection>();

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
    who: (connection: Connection) => boolean = () => true,
  ): void {
    const encode = createPayload(session.owner, payload);
    const lookOn: Connection[] = [];
    for (const connection of this.audience(session)) {
      if (!who(connection)) continue;
      if (isNear(connection, session)) connection.tell(event, encode(connection));
      else lookOn.push(connection);
    }
    if (lookOn.length > 0) this.fanOut.add({ event, members: lookOn, encode });
  }
}

/** Whether a connection hears of a session. */
export function mayHear(connection: Connection, { owner, key }: SessionRef): boolean {
  if (!connection.hears) return false;
  if (connection.caller.owner === owner) return true;
  // Under a key that it uses it knows a session of its own: two talks in one would be told of as one.
  return connection.hearsAll && !connection.uses(key);
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
