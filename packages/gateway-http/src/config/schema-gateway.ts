import { z } from "zod";
import { isAddressRange, isHostName } from "./network.ts";
import { authSchema } from "./schema-auth.ts";
import { imagesSchema } from "./schema-images.ts";
import { delayMs, oneOf, timerMs } from "./schema-values.ts";

const hostName = z
  .string()
  .trim()
  .toLowerCase()
  .transform((name) => name.replace(/\.$/, ""))
  .refine(isHostName, "must be a host name, without scheme, port or path");

/** As browsers send it: `https://app.example.com`, with a port where it is not the scheme's own. */
const origin = z
  .string()
  .trim()
  .toLowerCase()
  .refine(isOrigin, "must be an origin such as https://app.example.com, without a path");

const HSTS = /^max-age=\d{1,10}(; ?(includeSubDomains|preload)){0,2}$/i;
const HSTS_WANTED = 'must be false, or a value such as "max-age=31536000; includeSubDomains"';

const httpSchema = z
  .strictObject({
    endpoints: z
      .strictObject({
        chatCompletions: z.strictObject({ enabled: z.boolean().default(false), images: imagesSchema }).prefault({}),
      })
      .prefault({}),
    keepAliveMs: timerMs.default(15_000),
    /** 0 sends a stream's headers at once. */
    commitAfterMs: delayMs.default(1000),
    slowClientMs: timerMs.default(60_000),
    /** How long a run with an idempotency key goes on when nobody watches. */
    resumeWindowMs: timerMs.default(30_000),
    hosts: z.array(hostName).default([]),
    /** Pages of these origins may call the API. */
    cors: z.strictObject({ origins: z.array(origin).default([]) }).prefault({}),
    securityHeaders: z
      .strictObject({
        /** The value of the header, for a gateway that is reached over HTTPS only; `false` sends none. */
        strictTransportSecurity: z
          .union([z.literal(false), z.string().regex(HSTS, HSTS_WANTED)], { error: HSTS_WANTED })
          .default(false),
      })
      .prefault({}),
  })
  .prefault({});

/** Runs of all callers together. */
const limitsSchema = z
  .strictObject({
    /** Runs under way at a time. */
    concurrentRuns: z.int().min(1).max(100_000).default(4096),
    /** Runs that may wait for one of them to end. */
    queuedRuns: z.int().min(0).max(100_000).default(256),
    /** How long a run may wait. */
    queueTimeoutMs: timerMs.default(10_000),
  })
  .prefault({});

const tlsSchema = z.strictObject({
  enabled: z.boolean().default(true),
  /** PEM files, read again when they change. */
  certPath: z.string().trim().min(1, "must not be empty"),
  keyPath: z.string().trim().min(1, "must not be empty"),
});

export const gatewaySchema = z
  .strictObject({
    /** 0 takes any free port. */
    port: z.int().min(0).max(65_535).default(18_789),
    bind: oneOf(["loopback", "lan", "custom"], ["auto", "tailnet"]).default("loopback"),
    customBindHost: z.string().trim().min(1, "must not be empty").optional(),
    auth: authSchema,
    trustedProxies: z
      .array(z.string().trim().refine(isAddressRange, "must be an IP address or a CIDR range such as 10.0.0.0/8"))
      .default([]),
    tls: tlsSchema.optional(),
    limits: limitsSchema,
    http: httpSchema,
  })
  .superRefine((gateway, context) => {
    if (gateway.bind === "custom" && gateway.customBindHost === undefined) {
      context.addIssue({ code: "custom", path: ["customBindHost"], message: 'required when gateway.bind is "custom"' });
    }
    if (gateway.auth.mode === "trusted-proxy" && gateway.trustedProxies.length === 0) {
      context.addIssue({
        code: "custom",
        path: ["trustedProxies"],
        message: 'required when gateway.auth.mode is "trusted-proxy": the addresses of the proxy',
      });
    }
  })
  .prefault({});

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol } = new URL(text);
  return (protocol === "https:" || protocol === "http:") && origin === text;
}
