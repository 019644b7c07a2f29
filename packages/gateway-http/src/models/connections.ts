import type { Pool } from "undici";
import { type PostRequest, type PostResponse, post } from "./post.ts";

/** Milliseconds to reach a provider. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The connections to all providers, kept open between calls. */
export interface Connections {
  /** @param origin scheme, host and port of the provider */
  post(origin: string, request: PostRequest): Promise<PostResponse>;
  /** Loads what calls need, so that the first one does not wait for it. */
  prepare(): void;
  /** Providers that there are connections to, or were a moment ago. */
  readonly size: number;
  /** Closes all of them, in use or not. */
  close(): Promise<void>;
}

export function createConnections(): Connections {
  const pools = new Map<string, Pool>();
  // Loaded on first use: undici is the slowest import of this package, and the demo needs none of it.
  let undici: Promise<typeof import("undici")> | undefined;
  const load = () => {
    undici ??= import("undici");
    return undici;
  };

  /** A config that is exchanged time and again may name another provider each time. */
  function closeUnused(): void {
    for (const [origin, pool] of pools) {
      const { connected, size } = pool.stats;
      if (connected > 0 || size > 0) continue;
      pools.delete(origin);
      void pool.close();
    }
  }

  function open(origin: string, { Pool }: typeof import("undici")): Pool {
    closeUnused();
    // HTTP/1.1 only: with one connection for each stream a slow reader holds up nobody else.
    const pool = pools.get(origin) ?? new Pool(origin, { allowH2: false, connect: { timeout: CONNECT_TIMEOUT_MS } });
    pools.set(origin, pool);
    return pool;
  }

  return {
    async post(origin, request) {
      // Nothing is awaited between a pool and its use: as long as it has none it may be closed.
      return post(pools.get(origin) ?? open(origin, await load()), request);
    },
    prepare() {
      void load();
    },
    get size() {
      return pools.size;
    },
    async close() {
      await Promise.all(Array.from(pools.values(), (pool) => pool.destroy()));
    },
  };
}
