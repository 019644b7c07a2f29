import type { Attempt } from "./authenticate.ts";

/** Who is at the other end of a connection, before it has said who it is. */
export interface Peer extends Omit<Attempt, "authorization"> {
  /** It is a page of an origin that may not use this gateway. */
  readonly isForeignPage: boolean;
}
