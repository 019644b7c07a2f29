import { addressKey } from "../auth/address-key.ts";
import type { Peer } from "../auth/peer.ts";

/** Sockets of one address that may be there without having said who they are. */
const MAX_STRANGERS = 32;
/** Those of pages that will not be let in: any site opens as many as it likes, in the browser of whoever reads it. */
const MAX_PAGES = 4;

type Address = Pick<Peer, "address" | "isForeignPage">;

/** Sockets whose clients have not said who they are. Pages that may not use the gateway take nobody else's place. */
export interface Strangers {
  hasRoomFor(peer: Address): boolean;
  /** @returns what to call, once, when it is none any more */
  add(peer: Address): () => void;
}

export function createStrangers(): Strangers {
  const counts = new Map<string, number>();

  function count(key: string, by: 1 | -1): void {
    const left = (counts.get(key) ?? 0) + by;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  }

  return {
    hasRoomFor(peer) {
      return (counts.get(keyOf(peer)) ?? 0) < (peer.isForeignPage() ? MAX_PAGES : MAX_STRANGERS);
    },
    add(peer) {
      const key = keyOf(peer);
      count(key, 1);
      return () => count(key, -1);
    },
  };
}

function keyOf({ address, isForeignPage }: Address): string {
  return isForeignPage() ? `page ${addressKey(address)}` : addressKey(address);
}
