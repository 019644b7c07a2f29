import { expect, test } from "vitest";
import { createKeyRing } from "../../src/auth/key-ring.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { authWith, hashOf, tokenOf } from "../support/keys.ts";

const keysOf = (auth: object) => parseConfig({ gateway: { auth } }).config.gateway.auth.keys;

test("a token is found by its hash, or by itself, and nothing else is", () => {
  const ring = createKeyRing(
    keysOf({
      keys: [
        { id: "ann", tokenHash: hashOf("token of ann").toUpperCase().replace("SHA256", "sha256"), agents: ["Poet "] },
        { id: "bob", token: "  plain-token-of-bob " },
      ],
    }),
  );
  expect(ring.size).toBe(2);
  expect(ring.find("token of ann")).toEqual({
    owner: "ann",
    agents: new Set(["poet"]),
    scopes: new Set(["chat", "sessions", "models"]),
    limits: {},
  });
  expect(ring.find("plain-token-of-bob")).toMatchObject({ owner: "bob", agents: undefined });
  const hex = hashOf("token of ann").slice("sha256:".length);
  const others = [
    "",
    "token of an",
    "token of ann ",
    "Token of ann",
    hex,
    hashOf("token of ann"),
    "ann",
    "constructor",
  ];
  for (const token of others) expect(ring.find(token), token).toBeUndefined();
  expect(createKeyRing([]).find("")).toBeUndefined();
});

test("a key expires at its moment, while the gateway runs", () => {
  let now = Date.parse("2027-01-30T23:59:59.999Z");
  const { keys } = authWith({ ann: { expiresAt: "2027-01-31" }, bob: { expiresAt: "2027-01-31T01:00:00+01:00" } });
  const ring = createKeyRing(keysOf({ keys }), () => now);
  expect(ring.find(tokenOf("ann"))).toMatchObject({ owner: "ann" });
  expect(ring.find(tokenOf("bob"))).toMatchObject({ owner: "bob" });
  now += 1;
  expect(ring.find(tokenOf("ann"))).toBe("expired");
  expect(ring.find(tokenOf("bob"))).toBe("expired");
});

const HASH = hashOf("a-token-that-is-long");

test.each<[object, string]>([
  [{ keys: [{ id: "operator", tokenHash: HASH }] }, "gateway.auth.keys[0].id: names an owner"],
  [{ keys: [{ id: "local", tokenHash: HASH }] }, "gateway.auth.keys[0].id: names an owner"],
  [{ keys: [{ id: "user:ann", tokenHash: HASH }] }, "gateway.auth.keys[0].id: must be"],
  [{ keys: [{ id: "Ann", tokenHash: HASH }] }, "gateway.auth.keys[0].id: must be"],
  [{ keys: [{ id: "ann" }] }, "gateway.auth.keys[0]: needs a tokenHash, or a token"],
  [{ keys: [{ id: "ann", tokenHash: HASH, token: "a-token-that-is-long" }] }, "needs a tokenHash, or a token"],
  [{ keys: [{ id: "ann", tokenHash: "sha256:abc" }] }, "gateway.auth.keys[0].tokenHash: must be"],
  [{ keys: [{ id: "ann", token: "short" }] }, "gateway.auth.keys[0].token: must have at least 16"],
  [{ keys: [{ id: "ann", tokenHash: HASH, scopes: ["root"] }] }, "gateway.auth.keys[0].scopes[0]"],
  [{ keys: [{ id: "ann", tokenHash: HASH, expiresAt: "tomorrow" }] }, "gateway.auth.keys[0].expiresAt: must be a date"],
  [{ keys: [{ id: "ann", tokenHash: HASH, agent: "poet" }] }, "gateway.auth.keys[0].agent: unknown key"],
  [
    {
      keys: [
        { id: "ann", tokenHash: HASH },
        { id: "ann", tokenHash: hashOf("x") },
      ],
    },
    'gateway.auth.keys[1].id: another key is called "ann"',
  ],
  [
    {
      keys: [
        { id: "ann", tokenHash: HASH },
        { id: "bob", token: "a-token-that-is-long" },
      ],
    },
    "gateway.auth.keys[1]: has the token of another key",
  ],
  [{ token: "a-token-that-is-long", keys: [{ id: "ann", tokenHash: HASH }] }, "the gateway's own token or password"],
  [{ password: "a-token-that-is-long", keys: [{ id: "ann", tokenHash: HASH }] }, "the gateway's own token or password"],
])("keys that cannot be meant are refused, without their secrets: %j", (auth, message) => {
  let said = "";
  try {
    keysOf(auth);
  } catch (error) {
    said = (error as Error).message;
  }
  expect(said).toContain(message);
  expect(said).not.toContain("that-is-long");
  expect(said).not.toContain(HASH.slice(10, 30));
});
