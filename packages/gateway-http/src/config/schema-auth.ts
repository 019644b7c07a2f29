import { hash } from "node:crypto";
import { z } from "zod";
import { oneOf, secretText, timerMs } from "./schema-values.ts";

/** What a key may be for. `override-model` and `admin` have to be named; the rest is what a key has by itself. */
export const SCOPES = ["chat", "sessions", "models", "override-model", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

/** What concerns nobody but the caller. */
export const DEFAULT_SCOPES: readonly Scope[] = ["chat", "sessions", "models"];

/** Characters. A shorter token can be guessed, and would be: a right one is served even during a lockout. */
export const MIN_TOKEN = 16;

/** What the tokens of `keys add` begin with. */
export const KEY_PREFIX = "sk-oc-";

/** Names that are owners already. */
const RESERVED_IDS = new Set(["operator", "local"]);

const keyId = z
  .string()
  .trim()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9, "_" and "-", and begin with a letter or digit')
  .refine((id) => !RESERVED_IDS.has(id), "names an owner that is there already");

const headerName = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a header name");

export const keySchema = z
  .strictObject({
    /** Also the owner of the sessions and answers that the key makes. */
    id: keyId,
    tokenHash: z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^sha256:[0-9a-f]{64}$/, 'must be "sha256:" and 64 hexadecimal digits')
      .optional(),
    token: secretText
      .min(MIN_TOKEN, `must have at least ${MIN_TOKEN} characters`)
      // A header's bytes are nobody's encoding: clients differ in what they send for anything else.
      .regex(/^[!-~]*$/, "must be visible ASCII characters, without spaces")
      .optional(),
    /** Ids of the agents it may use. Absent: all. */
    agents: z.array(z.string().trim().toLowerCase().min(1, "must not be empty")).optional(),
    scopes: z.array(z.enum(SCOPES)).default([...DEFAULT_SCOPES]),
    /** Milliseconds since the epoch in the output; ISO 8601 in the file. */
    expiresAt: z
      .union([z.iso.datetime({ offset: true }), z.iso.date()], {
        error: "must be a date such as 2027-01-31 or 2027-01-31T18:00:00Z",
      })
      .transform((text) => Date.parse(text))
      .optional(),
    limits: z
      .strictObject({
        requestsPerMinute: z.int().min(1).max(1_000_000).optional(),
        concurrentRuns: z.int().min(1).max(100_000).optional(),
      })
      .prefault({}),
  })
  .superRefine(({ token, tokenHash }, context) => {
    if ((token === undefined) === (tokenHash === undefined)) {
      context.addIssue({ code: "custom", message: "needs a tokenHash, or a token, and not both" });
    }
  });

/** `sha256:<hex>` of the token, which may be given as that already. */
export function tokenHashOf({ token, tokenHash }: { token?: string | undefined; tokenHash?: string | undefined }) {
  return tokenHash ?? `sha256:${hash("sha256", token ?? "", "hex")}`;
}

const trustedProxySchema = z.strictObject({
  /** The header in which the proxy names the user. */
  userHeader: headerName,
  /** Headers that only a request of the proxy's has. */
  requiredHeaders: z.array(headerName).default([]),
  /** Users that are let in. Empty: all that the proxy names. */
  allowUsers: z.array(z.string().trim().min(1, "must not be empty")).default([]),
});

export const authSchema = z
  .strictObject({
    /** Absent: inferred from what is configured, see `auth/credentials.ts`. */
    mode: oneOf(["token", "password", "trusted-proxy", "none"], []).optional(),
    token: secretText.optional(),
    password: secretText.optional(),
    trustedProxy: trustedProxySchema.optional(),
    keys: z.array(keySchema).default([]),
    rateLimit: z
      .strictObject({
        maxAttempts: z.int().min(1).max(1000).default(10),
        windowMs: timerMs.default(60_000),
        lockoutMs: timerMs.default(300_000),
        exemptLoopback: z.boolean().default(true),
      })
      .prefault({}),
  })
  .superRefine(({ mode, trustedProxy, keys, token, password }, context) => {
    const add = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    if (mode === "trusted-proxy" && !trustedProxy) add(["trustedProxy"], 'required when mode is "trusted-proxy"');
    const ids = new Set<string>();
    const own = [token, password].flatMap((secret) => (secret === undefined ? [] : tokenHashOf({ token: secret })));
    const tokens = new Set<string>();
    for (const [index, key] of keys.entries()) {
      if (ids.has(key.id)) add(["keys", index, "id"], `another key is called "${key.id}" too`);
      ids.add(key.id);
      const tokenHash = tokenHashOf(key);
      if (tokens.has(tokenHash)) add(["keys", index], "has the token of another key");
      if (own.includes(tokenHash)) add(["keys", index], "has the gateway's own token or password");
      tokens.add(tokenHash);
    }
  })
  .prefault({});
