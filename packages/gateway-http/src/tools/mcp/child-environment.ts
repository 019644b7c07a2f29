import { DEFAULT_INHERITED_ENV_VARS } from "@modelcontextprotocol/client/stdio";
import type { Variables } from "../../config/substitute.ts";

/** Language, time zone and where temporary files go: without them servers answer in another way than by hand. */
const ALSO = ["LANG", "LC_ALL", "TZ", "TMPDIR"];

/**
 * What a started server finds in its environment: the few names that the protocol's own libraries pass on, and what is
 * configured for it. The gateway's keys and tokens are not among them.
 */
export function toChildEnvironment(
  variables: Variables,
  configured: Readonly<Record<string, string>>,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  // Windows knows names in any case, and a copy of its variables no longer does.
  const fold = (name: string) => (platform === "win32" ? name.toUpperCase() : name);
  const safe = new Set([...DEFAULT_INHERITED_ENV_VARS, ...ALSO]);
  const kept = Object.entries(variables).filter(
    // A value that begins like this is a shell's exported function.
    ([name, value]) => safe.has(fold(name)) && value !== undefined && !value.startsWith("()"),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...configured };
}
