import { SOCKET_CLOSE } from "@openclaw/protocol";
import type { WebSocket } from "ws";
import type { Attempt } from "../auth/attempt.ts";
import { AuthError } from "../auth/auth-error.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import type { Caller } from "../auth/caller.ts";
import type { Peer } from "../auth/peer.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { Tally } from "../runs/tally.ts";
import type { Connection } from "./connection.ts";
import type { Guest } from "./handshake.ts";
import { grantScopes } from "./scopes.ts";

/** Sockets of all clients, those too that have not said who they are. */
export const MAX_SOCKETS = 4096;
/** Of one key, or of one user of a proxy. */
const MAX_OF_OWNER = 1024;
/** Sockets that keys and users together leave to the operator, and to those who have not said who they are. */
const RESERVE = 256;
/** The longest that a timer of Node's waits, in milliseconds. */
const MAX_TIMER = 2 ** 31 - 1;

export interface GuestsOptions {
  authenticator: Pick<Authenticator, "recheck">;
  /** Told of what was nobody's intention. */
  onBug(error: unknown, context: { method: string }): void;
}

/** A client that was let in, and what it was let in by. */
interface Entry {
  readonly socket: WebSocket;
  readonly guest: Guest;
  readonly peer: Pick<Peer, "isForeignPage">;
  /** When its key expires. */
  expiry?: NodeJS.Timeout;
}

/** The clients that were let in, for as long as they would be. */
export interface Guests {
  /**
   * The gateway's own token, and this machine where it needs none, are bounded by {@link MAX_SOCKETS} alone.
   * @throws GatewayError `gateway_overloaded`
   */
  requireRoom(caller: Caller): void;
  add(connection: Connection, entry: Entry): void;
  remove(connection: Connection): void;
  /** Looks again who a client is, and ends the connection of one that would not be let in now. */
  isStill(connection: Connection): boolean;
  /** Looks again at all of them. */
  recheck(): void;
}

export function createGuests({ authenticator, onBug }: GuestsOptions): Guests {
  const all = new Map<Connection, Entry>();
  const perOwner = new Tally();

  function isStill(connection: Connection): boolean {
    const entry = all.get(connection);
    if (!entry) return false;
    const { socket, guest, peer } = entry;
    if (peer.isForeignPage()) {
      socket.close(SOCKET_CLOSE.policy, "origin not allowed");
      return false;
    }
    const before = connection.caller;
    const caller = readCaller(guest.attempt);
    if (caller?.owner !== before.owner) {
      socket.close(SOCKET_CLOSE.credentialsGone, "credentials invalidated");
      return false;
    }
    connection.caller = caller;
    if (caller.expiresAt !== before.expiresAt) expectEnd(connection, entry);
    if (caller.scopes !== before.scopes || caller.agents !== before.agents) {
      connection.scopes = grantScopes([...guest.scopes], caller);
      connection.onInterest?.();
    }
    return true;
  }

  /** Who cannot be known is nobody. */
  function readCaller(attempt: Attempt): Caller | undefined {
    try {
      return authenticator.recheck(attempt);
    } catch (error) {
      if (!(error instanceof AuthError)) onBug(error, { method: "connect" });
      return undefined;
    }
  }

  /** Whoever only listens is to hear nothing from that moment on. */
  function expectEnd(connection: Connection, entry: Entry): void {
    clearTimeout(entry.expiry);
    const { expiresAt } = connection.caller;
    if (expiresAt === undefined) return;
    const wait = Math.min(Math.max(expiresAt - Date.now(), 1), MAX_TIMER);
    const look = () => {
      if (isStill(connection)) expectEnd(connection, entry);
    };
    entry.expiry = setTimeout(look, wait).unref();
  }

  return {
    requireRoom({ owner }) {
      if (owner === "operator" || owner === "local") return;
      const full = (what: string) => new GatewayError("gateway_overloaded", what, { retryAfter: 1 });
      if (perOwner.of(owner) >= MAX_OF_OWNER) {
        throw full(`More than ${MAX_OF_OWNER} sockets of this key or user would be open.`);
      }
      if (all.size >= MAX_SOCKETS - RESERVE) throw full("Too many sockets are open.");
    },
    add(connection, entry) {
      all.set(connection, entry);
      perOwner.add(connection.caller.owner);
      expectEnd(connection, entry);
    },
    remove(connection) {
      const entry = all.get(connection);
      if (!entry) return;
      all.delete(connection);
      perOwner.remove(connection.caller.owner);
      clearTimeout(entry.expiry);
    },
    isStill,
    recheck() {
      for (const connection of all.keys()) isStill(connection);
    },
  };
}
