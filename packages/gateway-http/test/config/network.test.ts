import { expect, test } from "vitest";
import { bindAddress, isAddressRange } from "../../src/config/network.ts";

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

test.each(["1.2.3.4", "10.0.0.0/8", "::1", "fd00::/128", "0.0.0.0/0"])("%s is an address or a range", (text) => {
  expect(isAddressRange(text)).toBe(true);
});

test.each(["1.2.3", "1.2.3.4/33", "::/129", "1.2.3.4/", "1.2.3.4/8/8", "1.2.3.4/-1", "x", ""])(
  "%j is neither",
  (text) => {
    expect(isAddressRange(text)).toBe(false);
  },
);
