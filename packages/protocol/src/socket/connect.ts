import { z } from "zod";
import { sessionDefaultsSchema } from "./gateway.ts";

const text = z.string().min(1);

/** A device's proof that it has the key of its id, bound to this connection by the challenge's nonce. */
const deviceProofSchema = z.object({
  /** SHA-256 of the raw key, in hexadecimal. */
  id: text,
  /** The raw Ed25519 key, 32 bytes in base64url. */
  publicKey: text,
  /** In base64url. */
  signature: text,
  /** Unix time in milliseconds. */
  signedAt: z.int().min(0),
  nonce: z.string().optional(),
});

/** `params` of `connect`, the first request of a connection. What has no length of its own the frame bounds: 64 KiB. */
export const connectParamsSchema = z.object({
  minProtocol: z.int().min(1),
  maxProtocol: z.int().min(1),
  client: z.object({
    /** What kind of client: `cli`, `gateway-client`, … */
    id: text,
    version: text,
    platform: text,
    /** How it is used: `cli`, `ui`, `backend`, `webchat`, `probe`, … */
    mode: text,
    displayName: text.optional(),
    buildId: text.max(96).optional(),
    deviceFamily: text.optional(),
    modelIdentifier: text.optional(),
    timeZone: text.max(64).optional(),
    instanceId: text.optional(),
  }),
  /** What the client understands beside the usual: `tool-events`, `session-scoped-events`, `agent-kind`. */
  caps: z.array(z.string()).default([]),
  role: z.string().default("operator"),
  /** What it wants to be allowed. */
  scopes: z.array(z.string()).default([]),
  device: deviceProofSchema.optional(),
  auth: z
    .object({
      token: z.string().optional(),
      password: z.string().optional(),
      deviceToken: z.string().optional(),
      bootstrapToken: z.string().optional(),
    })
    .optional(),
  locale: z.string().optional(),
  userAgent: z.string().optional(),
});

/** The payload of a `connect` that worked. */
export const helloOkSchema = z.object({
  type: z.literal("hello-ok"),
  protocol: z.int(),
  server: z.object({
    version: text,
    connId: text,
    /** Another one after a restart. */
    bootId: text.optional(),
  }),
  features: z.object({ methods: z.array(text), events: z.array(text) }),
  snapshot: z.object({
    presence: z.array(z.object({ ts: z.int() })),
    health: z.object({ ok: z.literal(true), ts: z.int() }),
    stateVersion: z.object({ presence: z.int(), health: z.int() }),
    uptimeMs: z.int(),
    sessionDefaults: sessionDefaultsSchema.optional(),
    authMode: z.enum(["none", "token", "password", "trusted-proxy"]).optional(),
  }),
  auth: z.object({
    role: text,
    /** Those of the wanted that were granted. */
    scopes: z.array(text),
  }),
  policy: z.object({
    /** Bytes of the largest frame that a client may send. */
    maxPayload: z.int(),
    /** Bytes that may wait for a client that reads slowly. */
    maxBufferedBytes: z.int(),
    /** Milliseconds between two `tick` events. */
    tickIntervalMs: z.int(),
  }),
});

export type ConnectParams = z.infer<typeof connectParamsSchema>;
export type ConnectParamsInput = z.input<typeof connectParamsSchema>;
export type DeviceProof = z.infer<typeof deviceProofSchema>;
export type HelloOk = z.infer<typeof helloOkSchema>;
