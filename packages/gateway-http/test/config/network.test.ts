import { expect, test } from "vitest";
import { bindAddress, createAddressMatcher, isAddressRange } from "../../src/config/network.ts";

test.each([
  [{ bind: "loopback" }, { host: "127.0.0.1", loopback: true }],
  [{ bind: "lan" }, { host: "0.0.0.0", loopback: false }],
  [
    { bind: "custom", customBindHost: "192.168.0.2" },
    { host: "192.168.0.2", loopback: false },
  ],
  [
    { bind: "custom", customBindHost: "127.0.0.9" },
    { host: "127.0.0.9", loopback: true },
  ],
  [
    { bind: "custom", customBindHost: "::1" },
    { host: "::1", loopback: true },
  ],
  [
    { bind: "custom", customBindHost: "127.example.com" },
    { host: "127.example.com", loopback: false },
  ],
  [
    { bind: "custom", customBindHost: "::" },
    { host: "::", loopback: false },
  ],
] as const)("%j listens on %j", (gateway, address) => {
  expect(bindAddress(gateway)).toEqual(address);
});

test.each(["1.2.3.4", "10.0.0.0/8", "::1", "fd00::/128", "0.0.0.0/0", "fe80::1%-"])(
  "%s is an address or a range",
  (text) => {
    expect(isAddressRange(text)).toBe(true);
  },
);

test.each(["1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/8/8", "1.2.3.4/-1", "x", ""])(
  "%j is neither",
  (text) => {
    expect(isAddressRange(text)).toBe(false);
  },
);

test.each([
  [
    ["10.0.0.0/8"],
    ["10.0.0.1", "::ffff:10.1.2.3", "::FFFF:a01:203"],
    ["11.0.0.1", "::ffff:11.0.0.1", "::1", "fd00::a"],
  ],
  [["127.0.0.1"], ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1"]],
  [["::1"], ["::1", "0:0:0:0:0:0:0:1"], ["127.0.0.1", "::2", "::ffff:127.0.0.1"]],
  [["fd00::/8"], ["fd00::1", "fdff::1"], ["fe80::1", "253.0.0.1"]],
  [["fe80::/10"], ["fe80::1%eth0", "febf::1", "fe80::1%-", "fe80::1%a.b"], ["fec0::1%-", "fe80::1%", "fe80::1%\n-"]],
  [["fe80::1%-"], ["fe80::1", "fe80::1%eth0"], ["fe80::2%-"]],
  [["::ffff:10.0.0.0/104"], ["10.9.9.9", "::ffff:10.0.0.1"], ["11.0.0.1"]],
  [["::ffff:192.0.2.7"], ["192.0.2.7"], ["192.0.2.8"]],
  [["0.0.0.0/0"], ["203.0.113.1", "::ffff:203.0.113.1"], ["2001:db8::1"]],
  [["10.0.0.1", "192.168.0.0/16"], ["10.0.0.1", "192.168.5.5"], ["10.0.0.2"]],
  [[], [], ["127.0.0.1", "::1"]],
])("of the ranges %j are %j, and are not %j", (ranges, inside, outside) => {
  const matches = createAddressMatcher(ranges);
  for (const address of inside) expect(matches(address), address).toBe(true);
  for (const address of [...outside, "", "localhost", "10", "0x0a000001", "10.0.0.1%-", undefined]) {
    expect(matches(address), address).toBe(false);
  }
});
