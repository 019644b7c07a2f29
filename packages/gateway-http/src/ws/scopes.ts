import { SOCKET_SCOPES, type SocketScope } from "@openclaw/protocol";
import type { Caller } from "../auth/caller.ts";

/**
 * Those of the wanted scopes that a caller may have. What a method does is bound by the caller's own scopes besides:
 * these only say what a connection is for.
 */
export function grantScopes(wanted: readonly string[], { scopes }: Caller): ReadonlySet<string> {
  // Whoever may do everything may also have scopes that nothing here asks for.
  if (scopes.has("admin")) return new Set(wanted);
  const may = new Set<string>(SOCKET_SCOPES);
  may.delete("operator.admin");
  if (!scopes.has("chat") && !scopes.has("sessions")) may.delete("operator.write");
  return new Set(wanted.filter((scope) => may.has(scope)));
}

/** `operator.admin` satisfies all, `operator.write` satisfies `operator.read`. */
export function satisfies(granted: ReadonlySet<string>, scope: SocketScope): boolean {
  if (granted.has("operator.admin") || granted.has(scope)) return true;
  return scope === "operator.read" && granted.has("operator.write");
}
