import type { Dispatcher } from "undici";
import { type PostRequest, type PostResponse, post } from "./post.ts";

/** Milliseconds to reach a provider. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The connections to all providers, kept open between calls. */
export interface Connections {
  /** @param origin scheme, host and port of the provider */
  post(origin: string, request: PostRequest): Promise<PostResponse>;
  /** Loads what calls need, so that the first one does not wait for it. */
  prepare(): void;
  /** Closes all of them, in use or not. */
  close(): Promise<void>;
}

export function createConnections(): Connections {
  const pools = new Map<string, Dispatcher>();
  // Loaded on first use: undici is the slowest import of this package, and the demo needs none of it.
  let undici: Promise<typeof import("undici")> | undefined;
  const load = () => {
    undici ??= import("undici");
    return undici;
  };

  async function open(origin: string): Promise<Dispatcher> {
    const { Pool } = await load();
    // HTTP/1.1 only: with one connection for each stream a slow reader holds up nobody else.
    const pool = pools.get(origin) ?? new Pool(origin, { allowH2: false, connect: { timeout: CONNECT_TIMEOUT_MS } });
    pools.set(origin, pool);
    return pool;
  }

  return {
    async post(origin, request) {
      return post(pools.get(origin) ?? (await open(origin)), request);
    },
    prepare() {
      void load();
    },
    async close() {
      await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()));
    },
  };
}
