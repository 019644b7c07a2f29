import { expect, test } from "vitest";
import { isPublicAddress } from "../../src/media/public-address.ts";

const PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"];
const INNER = ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"];

const PRIVATE = {
  loopback: ["127.0.0.1", "127.255.255.255", "::1"],
  unspecified: ["0.0.0.0", "0.1.2.3", "::"],
  private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"],
  "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1"],
  "carrier-NAT": ["100.64.0.1", "100.127.255.255"],
  metadata: ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
  mapped: ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1"],
  translated: ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "::ffff:0:127.0.0.1"],
  tunnelled: ["2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1"],
  reserved: ["192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1", "255.255.255.255"],
  "reserved, IPv6": ["2001:db8::1", "fec0::1", "4000::1", "3fff::1", "100::1", "5f00::1"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
  "not written as an address": ["", "localhost", "127.1", "2130706433", "0x7f000001", "017700000001", "8.8.8", "[::1]"],
};

test("an address of the internet is public, also inside an IPv6 one", () => {
  for (const address of [...PUBLIC, ...INNER]) expect(isPublicAddress(address), address).toBe(true);
});

for (const [kind, addresses] of Object.entries(PRIVATE)) {
  test(`no address that is ${kind} is public`, () => {
    for (const address of addresses) expect(isPublicAddress(address), address).toBe(false);
  });
}
