import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Azure's host answers its machines here, with their secrets, under an address that looks like any other. */
const METADATA = "168.63.129.16";
/** All that is routed of IPv6; the rest is reserved, or was. */
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");
const NAT64 = ipaddr.parseCIDR("64:ff9b::/96");

/**
 * Whether an address is one of the internet: not private, loopback, link-local, carrier-NAT, documentation or
 * metadata. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is judged as what it is.
 */
export function isPublicAddress(text: string): boolean {
  // ipaddr.js also reads what no resolver gives, `127.1` for one.
  if (isIP(text) === 0) return false;
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv4) return address.range() === "unicast" && address.toString() !== METADATA;
  const inner = innerIPv4(address);
  if (inner) return isPublicAddress(inner.toString());
  return address.range() === "unicast" && address.match(GLOBAL_IPV6);
}

function innerIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  const bytes = address.toByteArray();
  if (address.match(NAT64)) return new ipaddr.IPv4(bytes.slice(12));
  return address.range() === "6to4" ? new ipaddr.IPv4(bytes.slice(2, 6)) : undefined;
}
