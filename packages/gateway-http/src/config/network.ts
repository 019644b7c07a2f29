import { isIP, isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Whether `text` is a DNS name: lower case, no port, no trailing dot. Underscores pass, because containers have them. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

/** Whether `text` is an IP address or a CIDR range (`10.0.0.0/8`, `fd00::/8`). */
export function isAddressRange(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}

/**
 * Makes a test whether an address lies in one of these ranges. An IPv4 address inside an IPv6 one (`::ffff:10.0.0.1`),
 * as a socket that listens to both gives it, counts as the IPv4 address. Zones (`fe80::1%eth0`) are passed over. It
 * never throws, whatever the text.
 *
 * @param ranges - As {@link isAddressRange} allows them.
 */
export function createAddressMatcher(ranges: readonly string[]): (address: string | undefined) => boolean {
  const parsed = ranges.map(parseRange);
  return (text) => {
    if (text === undefined || isIP(text) === 0) return false;
    // A stranger may have written it, and the parser throws at zones that Node takes.
    const address = ipaddr.process(withoutZone(text));
    return parsed.some(([range, prefix]) => range.kind() === address.kind() && address.match(range, prefix));
  };
}

function parseRange(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [address = "", digits] = text.split("/");
  const parsed = ipaddr.parse(withoutZone(address));
  const prefix = digits === undefined ? parsed.toByteArray().length * 8 : Number(digits);
  const isMapped = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() && prefix >= 96;
  return isMapped ? [parsed.toIPv4Address(), prefix - 96] : [parsed, prefix];
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/s, "");
}

/** Whether `host` can only be reached from this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}

/** What `gateway.bind` means to `listen`: the address, and whether it can only be reached from this machine. */
export function bindAddress(gateway: {
  readonly bind: "loopback" | "lan" | "custom";
  readonly customBindHost?: string | undefined;
}): { host: string; loopback: boolean } {
  if (gateway.bind === "lan") return { host: "0.0.0.0", loopback: false };
  const host = gateway.bind === "custom" ? (gateway.customBindHost ?? "127.0.0.1") : "127.0.0.1";
  return { host, loopback: isLoopbackHost(host) };
}
