import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import type { ConnectParams } from "@openclaw/protocol/socket";

/** Milliseconds that a proof may be old, or ahead of our clock. */
const MAX_SKEW_MS = 120_000;
/** What DER has before the 32 bytes of an Ed25519 key (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Why a proof is none, as clients know it. */
export interface ProofFault {
  readonly code: string;
  readonly reason: string;
}

/**
 * Checks that a device has the key of its id, for this connection alone.
 * @param nonce of the challenge
 * @param now Unix time in milliseconds
 * @returns what is wrong with it; `undefined` when nothing is
 */
export function findProofFault(params: ConnectParams, nonce: string, now: number): ProofFault | undefined {
  const { device } = params;
  if (!device) return undefined;
  const raw = Buffer.from(device.publicKey, "base64url");
  const key = raw.length === 32 ? toKey(raw) : undefined;
  if (!key) return fault("PUBLIC_KEY_INVALID", "device public key invalid");
  if (hash("sha256", raw, "hex") !== device.id.toLowerCase()) return fault("DEVICE_ID_MISMATCH", "device id mismatch");
  if (Math.abs(now - device.signedAt) > MAX_SKEW_MS) return fault("SIGNATURE_EXPIRED", "device signature expired");
  if (!device.nonce?.trim()) return fault("NONCE_REQUIRED", "device nonce required");
  if (device.nonce !== nonce) return fault("NONCE_MISMATCH", "device nonce mismatch");
  const signature = Buffer.from(device.signature, "base64url");
  const isSigned = toPayloads(params, device).some((text) => verify(null, Buffer.from(text), key, signature));
  return isSigned ? undefined : fault("SIGNATURE_INVALID", "device signature invalid");
}

/** What a device signs, newest form first. */
function toPayloads(
  { client, role, scopes, auth }: ConnectParams,
  { id, signedAt, nonce }: NonNullable<ConnectParams["device"]>,
): string[] {
  const token = auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "";
  const parts = [id, client.id, client.mode, role, scopes.join(","), signedAt, token, nonce];
  const more = [client.platform, client.deviceFamily].map(normalized);
  return [["v3", ...parts, ...more].join("|"), ["v2", ...parts].join("|")];
}

function normalized(text = ""): string {
  return text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function toKey(raw: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function fault(code: string, reason: string): ProofFault {
  return { code: `DEVICE_AUTH_${code}`, reason };
}
