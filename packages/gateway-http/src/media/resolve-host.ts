import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";

/** Finds all addresses of a host; none when there is no such host. */
export type ResolveHost = (host: string, options: { signal: AbortSignal }) => Promise<readonly string[]>;

/**
 * Asks the DNS, not the operating system: its look-ups cannot be cancelled and hold one of the few threads that all of
 * the process shares. A public host is in nobody's hosts file.
 */
export const resolveHost: ResolveHost = async (host, { signal }) => {
  if (isIP(host) !== 0) return [host];
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    return found.flatMap((addresses) => (addresses.status === "fulfilled" ? addresses.value : []));
  } finally {
    signal.removeEventListener("abort", cancel);
  }
};
