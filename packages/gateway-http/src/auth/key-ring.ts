import { hash } from "node:crypto";
import type { Config } from "../config/schema.ts";
import { tokenHashOf } from "../config/schema-auth.ts";
import type { Caller } from "./caller.ts";

type KeyConfig = Config["gateway"]["auth"]["keys"][number];

/** The keys of `gateway.auth.keys`. */
export interface KeyRing {
  readonly size: number;
  /** Whose token this is; `expired` when it is no longer. */
  find(token: string): Caller | "expired" | undefined;
}

/** @param now milliseconds since the epoch */
export function createKeyRing(keys: readonly KeyConfig[], now: () => number = Date.now): KeyRing {
  // Found by hash, in a time that depends on the hash and says nothing about any token.
  const byHash = new Map(keys.map((key) => [hashOf(key), toCaller(key)]));
  return {
    size: byHash.size,
    find(token) {
      if (byHash.size === 0) return undefined;
      const digest = hash("sha256", token, "hex");
      const found = byHash.get(digest);
      if (!found) return undefined;
      return found.expiresAt !== undefined && found.expiresAt <= now() ? "expired" : found;
    },
  };
}

function hashOf(key: KeyConfig): string {
  return tokenHashOf(key).replace(/^sha256:/, "");
}

function toCaller({ id, agents, scopes, limits, expiresAt }: KeyConfig): Caller {
  return { owner: id, scopes: new Set(scopes), agents: agents && new Set(agents), limits, expiresAt };
}
