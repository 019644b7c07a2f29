import { hash } from "node:crypto";
import type { ConfigInput } from "../../src/index.ts";
import { TOKEN } from "./start-gateway.ts";

type Auth = NonNullable<NonNullable<ConfigInput["gateway"]>["auth"]>;
type KeyInput = NonNullable<Auth["keys"]>[number];

/** The token of the key of this id. */
export const tokenOf = (id: string): string => `sk-oc-token-of-${id}`;

export const hashOf = (token: string): string => `sha256:${hash("sha256", token, "hex")}`;

/** Keys by id, and the gateway's own token. A wrong one is not waited for. */
export function authWith(keys: Record<string, Omit<KeyInput, "id">>): Auth {
  return {
    mode: "token",
    token: TOKEN,
    rateLimit: { maxAttempts: 1000, exemptLoopback: false },
    keys: Object.entries(keys).map(([id, key]) => ({ id, tokenHash: hashOf(tokenOf(id)), ...key })),
  };
}

/** The token of whom a test calls by this name. */
export const bearer = (who: string) => ({ authorization: `Bearer ${who === "operator" ? TOKEN : tokenOf(who)}` });
