import { expect, test } from "vitest";
import { isAllowedHost, isAllowedOrigin } from "../../src/http/host-guard.ts";

const HOSTS = ["chat.example.com"];

test.each([
  "127.0.0.1",
  "127.0.0.1:18789",
  "192.168.1.20:80",
  "[::1]",
  "[::1]:18789",
  "[::1]:",
  "[2001:DB8::1]:1",
  "localhost",
  "LocalHost:18789",
  "localhost.",
  "localhost:",
  "app.localhost:18789",
  "a.b.localhost.",
  "host.docker.internal:18789",
  "host.containers.internal",
  "chat.example.com",
  "Chat.Example.COM.:443",
])("Host %j is allowed", (host) => {
  expect(isAllowedHost(host, HOSTS)).toBe(true);
});

test.each(
  [
    undefined,
    "",
    ":80",
    "evil.example",
    "chat.example.com.evil.example",
    "sub.chat.example.com",
    "localhost.evil.example",
    "evillocalhost",
    ".localhost",
    "a..localhost",
    "localhost..",
    ".",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "localhost:port",
    "localhost:65536",
    "localhost:80:80",
    "localhost@evil.example",
    "user@localhost",
    "localhost/path",
    "localhost, evil.example",
    "local host",
    " localhost",
    "localhost\n",
    "::1",
    "[::1",
    "[127.0.0.1]",
    "[::1]x",
    "[localhost]",
    "127.1",
    "2130706433",
    "0x7f000001",
  ].filter((host) => host !== "[::1]:"),
)("Host %j is refused", (host) => {
  expect(isAllowedHost(host, HOSTS)).toBe(false);
});

test.each([
  [undefined, "localhost:18789"],
  ["http://localhost:18789", "localhost:18789"],
  ["http://LOCALHOST:18789", "localhost.:18789"],
  ["http://[::1]:18789", "[::1]:18789"],
  ["http://127.0.0.1", "127.0.0.1:80"],
  ["https://gw.example", "gw.example"],
  ["https://gw.example", "gw.example:443"],
  ["https://gw.example:443", "gw.example"],
  ["https://chat.example.com", "localhost:18789"],
  ["http://chat.example.com:3000", "localhost:18789"],
])("Origin %j at Host %j is allowed", (origin, host) => {
  expect(isAllowedOrigin(origin, host, HOSTS)).toBe(true);
});

test.each([
  ["http://localhost:5173", "localhost:18789"],
  ["http://localhost", "localhost:18789"],
  ["http://127.0.0.1:18789", "localhost:18789"],
  ["http://evil.example", "localhost:18789"],
  ["https://evil.example", "evil.example:18789"],
  ["null", "localhost:18789"],
  ["", "localhost:18789"],
  ["null", "null"],
  ["http://", ""],
  ["http://localhost:18789", undefined],
  ["chrome-extension://localhost:18789", "localhost:18789"],
  ["file://localhost:18789", "localhost:18789"],
  ["http://localhost:18789/path", "localhost:18789"],
  ["http://evil@localhost:18789", "localhost:18789"],
  ["http://localhost:18789, http://evil.example", "localhost:18789"],
  ["https://chat.example.com.evil.example", "localhost:18789"],
])("Origin %j at Host %j is refused", (origin, host) => {
  expect(isAllowedOrigin(origin, host, HOSTS)).toBe(false);
});
