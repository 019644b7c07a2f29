import type { Config } from "../config/schema.ts";

/** Headers of every answer, of those that say nothing else, too. */
export function securityHeaders({
  securityHeaders: { strictTransportSecurity },
}: Pick<Config["gateway"]["http"], "securityHeaders">): Record<string, string> {
  return strictTransportSecurity === false ? {} : { "strict-transport-security": strictTransportSecurity };
}
