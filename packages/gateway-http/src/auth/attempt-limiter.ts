import { addressKey } from "./address-key.ts";

export interface AttemptLimiterOptions {
  /** Failures within `windowMs` that lock an address out. */
  maxAttempts: number;
  /** Sliding. */
  windowMs: number;
  lockoutMs: number;
  /** Addresses remembered; beyond it the one that failed longest ago is forgotten. Default 10,000. */
  maxAddresses?: number;
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  now?: () => number;
}

/** Counts failed attempts by address. Only failures cost anything: an address that never failed is not in the table. */
export interface AttemptLimiter {
  /** Milliseconds until the address is let in again; 0 when it is not locked out. */
  lockedFor(address: string): number;
  recordFailure(address: string): void;
}

interface Entry {
  readonly failures: readonly number[];
  /** When the lockout ends; 0 when there was none. */
  readonly lockedUntil: number;
}

export function createAttemptLimiter(options: AttemptLimiterOptions): AttemptLimiter {
  const { maxAttempts, windowMs, lockoutMs, maxAddresses = 10_000, now = () => performance.now() } = options;
  const table = new Map<string, Entry>();

  const lockedFor = (key: string): number => Math.max(0, (table.get(key)?.lockedUntil ?? 0) - now());

  return {
    lockedFor: (address) => (table.size === 0 ? 0 : lockedFor(addressKey(address))),
    recordFailure(address) {
      const key = addressKey(address);
      // What is tried during a lockout is refused unseen, so it must not lengthen it either.
      if (lockedFor(key) > 0) return;
      const time = now();
      const recent = (table.get(key)?.failures ?? []).filter((failure) => failure > time - windowMs);
      const isLocked = recent.length + 1 >= maxAttempts;
      // Deleted first: a map keeps the order of insertion, which makes its first key the oldest.
      table.delete(key);
      table.set(
        key,
        isLocked ? { failures: [], lockedUntil: time + lockoutMs } : { failures: [...recent, time], lockedUntil: 0 },
      );
      const [oldest] = table.keys();
      if (table.size > maxAddresses && oldest !== undefined) table.delete(oldest);
    },
  };
}
