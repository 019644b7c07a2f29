import { addressKey } from "../auth/address-key.ts";
import type { Peer } from "../auth/peer.ts";
import { Tally } from "../runs/tally.ts";

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
  const counts = new Tally();
  return {
    hasRoomFor(peer) {
      return counts.of(keyOf(peer)) < (peer.isForeignPage() ? MAX_PAGES : MAX_STRANGERS);
    },
    add(peer) {
      const key = keyOf(peer);
      counts.add(key);
      return () => counts.remove(key);
    },
  };
}

function keyOf({ address, isForeignPage }: Address): string {
  return isForeignPage() ? `page ${addressKey(address)}` : addressKey(address);
}
