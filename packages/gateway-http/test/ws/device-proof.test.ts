import { generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";
import { expect, test } from "vitest";
import { connectParams, connectSocket, openSocket, type SocketClient } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

interface Proof {
  version?: 2 | 3;
  nonce: string;
  signedAt?: number;
  token?: string;
  platform?: string;
  deviceFamily?: string;
  pair?: { publicKey: KeyObject; privateKey: KeyObject };
}

const client = { id: "openclaw-tui", version: "1", mode: "ui", platform: "linux", deviceFamily: "Linux" };
const scopes = ["operator.write", "operator.write", "operator.read"];
const pair = generateKeyPairSync("ed25519");

/** As the spec has it, written apart from the source. */
function prove({ version = 3, nonce, signedAt = Date.now(), token = TOKEN, ...more }: Proof) {
  const { publicKey, privateKey } = more.pair ?? pair;
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x as string, "base64url");
  const id = hash("sha256", raw, "hex");
  const parts = [`v${version}`, id, client.id, client.mode, "operator", scopes.join(","), signedAt, token, nonce];
  if (version === 3) parts.push(more.platform ?? "linux", more.deviceFamily ?? "linux");
  const signature = sign(null, Buffer.from(parts.join("|")), privateKey).toString("base64url");
  return { id, publicKey: raw.toString("base64url"), signature, signedAt, nonce };
}

const nonceOf = ({ frames: [first] }: SocketClient) => (first as { payload: { nonce: string } }).payload.nonce;

async function answerTo(url: string, make: (nonce: string) => object, params: object = {}) {
  const socket = await openSocket(url);
  const device = make(nonceOf(socket));
  const asked = connectParams({ token: TOKEN, scopes, params: { client, device, ...params } });
  const { ok, error } = await socket.ask("connect", asked);
  if (ok) return "ok";
  const { code, reason } = await socket.closed;
  expect(error).toEqual({
    code: "INVALID_REQUEST",
    message: reason,
    details: { code: expect.stringMatching(/^DEVICE_AUTH_/), reason },
  });
  expect(code).toBe(1008);
  const details = error?.details as { code: string };
  return `${details.code.slice("DEVICE_AUTH_".length)}: ${reason}`;
}

const start = () =>
  startGateway({
    config: {
      gateway: { auth: { mode: "token", token: TOKEN, rateLimit: { maxAttempts: 100, exemptLoopback: false } } },
    },
  });

test("a proof of the new form and one of the old are good", async () => {
  const { url } = await start();
  expect(await answerTo(url, (nonce) => prove({ nonce }))).toBe("ok");
  expect(await answerTo(url, (nonce) => prove({ nonce, version: 2 }))).toBe("ok");
  for (const off of [-110_000, 110_000]) {
    expect(await answerTo(url, (nonce) => prove({ nonce, signedAt: Date.now() + off }))).toBe("ok");
  }
});

test("platform and family are signed without blanks around them, in small letters, only those of ASCII", async () => {
  const { url } = await start();
  const given = { client: { ...client, platform: " MacOS İX\t", deviceFamily: undefined } };
  const good = { platform: "macos İx", deviceFamily: "" };
  expect(await answerTo(url, (nonce) => prove({ nonce, ...good }), given)).toBe("ok");
  const wrong = { ...good, platform: given.client.platform };
  expect(await answerTo(url, (nonce) => prove({ nonce, ...wrong }), given)).toMatch(/^SIGNATURE_INVALID/);
});

test("what is signed is the token that was sent, whichever it was", async () => {
  const { url } = await start();
  const sent = (auth: object, token: string) => answerTo(url, (nonce) => prove({ nonce, token }), { auth });
  expect(await sent({ token: ` ${TOKEN}` }, ` ${TOKEN}`)).toBe("ok");
  expect(await sent({ password: TOKEN }, "")).toBe("ok");
  expect(await sent({ password: TOKEN, deviceToken: "d", bootstrapToken: "b" }, "d")).toBe("ok");
  expect(await sent({ password: TOKEN, bootstrapToken: "b" }, "b")).toBe("ok");
  expect(await sent({ password: TOKEN }, TOKEN)).toMatch(/^SIGNATURE_INVALID/);
});

test("a proof that is none is refused, and it is said what is wrong with it", async () => {
  const { url } = await start();
  const other = generateKeyPairSync("ed25519");
  const spoilt = (change: object) => answerTo(url, (nonce) => ({ ...prove({ nonce }), ...change }));
  expect(await spoilt({ id: "0".repeat(64) })).toBe("DEVICE_ID_MISMATCH: device id mismatch");
  const { publicKey } = prove({ nonce: "", pair: other });
  expect(await spoilt({ publicKey })).toBe("DEVICE_ID_MISMATCH: device id mismatch");
  for (const bad of ["x", "=", Buffer.alloc(31).toString("base64url"), "A".repeat(10_000)]) {
    expect(await spoilt({ publicKey: bad })).toBe("PUBLIC_KEY_INVALID: device public key invalid");
  }
  for (const bad of ["x", "=", Buffer.alloc(64).toString("base64url"), "A".repeat(10_000)]) {
    expect(await spoilt({ signature: bad })).toBe("SIGNATURE_INVALID: device signature invalid");
  }
  for (const off of [-121_000, 130_000]) {
    const stale = (nonce: string) => prove({ nonce, signedAt: Date.now() + off });
    expect(await answerTo(url, stale)).toBe("SIGNATURE_EXPIRED: device signature expired");
  }
  for (const nonce of [undefined, "", "  "])
    expect(await spoilt({ nonce })).toBe("NONCE_REQUIRED: device nonce required");
  expect(await spoilt({ nonce: "guessed" })).toBe("NONCE_MISMATCH: device nonce mismatch");
  expect(await answerTo(url, (nonce) => ({ ...prove({ nonce: "another" }), nonce }))).toMatch(/^SIGNATURE_INVALID/);
  const id = prove({ nonce: "" }).id;
  expect(
    await answerTo(url, (nonce) => ({ ...prove({ nonce, pair: other }), id, publicKey: prove({ nonce }).publicKey })),
  ).toMatch(/^SIGNATURE_INVALID/);
});

test("a proof is good for its own connection, once", async () => {
  const { url } = await start();
  let seen = {};
  const take = (nonce: string) => {
    seen = prove({ nonce });
    return seen;
  };
  expect(await answerTo(url, take)).toBe("ok");
  expect(await answerTo(url, () => seen)).toBe("NONCE_MISMATCH: device nonce mismatch");
});

test("what else was asked for is signed too", async () => {
  const { url } = await start();
  const more = { scopes: [...scopes, "operator.admin"] };
  expect(await answerTo(url, (nonce) => prove({ nonce }), more)).toMatch(/^SIGNATURE_INVALID/);
  const mode = { client: { ...client, mode: "cli" } };
  expect(await answerTo(url, (nonce) => prove({ nonce }), mode)).toMatch(/^SIGNATURE_INVALID/);
});

test("a proof does not stand in for the token, and none is asked for", async () => {
  const { url } = await start();
  const socket = await openSocket(url);
  const device = prove({ nonce: nonceOf(socket), token: "" });
  const { error } = await socket.ask("connect", connectParams({ scopes, params: { client, device } }));
  expect(error?.details).toMatchObject({ code: "AUTH_TOKEN_MISSING" });
  const { hello } = await connectSocket(url, { token: TOKEN, params: { client } });
  expect(hello.auth).not.toHaveProperty("deviceToken");
});
