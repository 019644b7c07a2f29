import type { Attempt } from "./attempt.ts";

/** Who is at the other end of a connection, before it has said who it is. */
export interface Peer extends Omit<Attempt, "authorization"> {
  /** Whether it is a page of an origin that may not use this gateway, by the config as it is now. */
  isForeignPage(): boolean;
}
