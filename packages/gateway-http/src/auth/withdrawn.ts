import type { Config } from "../config/schema.ts";
import { tokenHashOf } from "../config/schema-auth.ts";

type AuthConfig = Config["gateway"]["auth"];

/**
 * What callers may no longer do. A key that only expires is not meant: what it began while it was good may end well.
 * @returns why a run of this owner's on this agent has to end; `undefined` altogether when nothing was taken away
 */
export function findWithdrawn(
  before: AuthConfig,
  after: AuthConfig,
): ((owner: string, agentId: string) => string | undefined) | undefined {
  const still = new Map(after.keys.map((key) => [key.id, key]));
  const ended = new Set<string>();
  const bound = new Map<string, ReadonlySet<string>>();
  for (const key of before.keys) {
    const now = still.get(key.id);
    const mayChat = now?.scopes.includes("chat") === true || !key.scopes.includes("chat");
    if (!now || tokenHashOf(now) !== tokenHashOf(key) || !mayChat) ended.add(key.id);
    else if (now.agents) bound.set(key.id, new Set(now.agents));
  }
  const users = after.trustedProxy?.allowUsers ?? [];
  const allowed =
    before.mode === "trusted-proxy" && users.length > 0 ? new Set(users.map((name) => `user:${name}`)) : undefined;
  if (ended.size === 0 && bound.size === 0 && !allowed) return undefined;
  return (owner, agentId) => {
    if (ended.has(owner)) return "The key was revoked.";
    if (owner.startsWith("user:") && allowed?.has(owner) === false) return "The user is not let in any more.";
    return bound.get(owner)?.has(agentId) === false ? "The key may not use this agent any more." : undefined;
  };
}
