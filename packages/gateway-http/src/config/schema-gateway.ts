import { z } from "zod";
import { isAddressRange, isHostName } from "./network.ts";
import { imagesSchema } from "./schema-images.ts";
import { delayMs, oneOf, secretText, timerMs } from "./schema-values.ts";

const authSchema = z
  .strictObject({
    /** Absent: inferred from what is configured, see `auth/credentials.ts`. */
    mode: oneOf(["token", "password", "none"], ["trusted-proxy"]).optional(),
    token: secretText.optional(),
    password: secretText.optional(),
    rateLimit: z
      .strictObject({
        maxAttempts: z.int().min(1).max(1000).default(10),
        windowMs: timerMs.default(60_000),
        lockoutMs: timerMs.default(300_000),
        exemptLoopback: z.boolean().default(true),
      })
      .prefault({}),
  })
  .prefault({});

const hostName = z
  .string()
  .trim()
  .toLowerCase()
  .transform((name) => name.replace(/\.$/, ""))
  .refine(isHostName, "must be a host name, without scheme, port or path");

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
  })
  .prefault({});

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
    http: httpSchema,
  })
  .superRefine((gateway, context) => {
    if (gateway.bind === "custom" && gateway.customBindHost === undefined) {
      context.addIssue({ code: "custom", path: ["customBindHost"], message: 'required when gateway.bind is "custom"' });
    }
  })
  .prefault({});
