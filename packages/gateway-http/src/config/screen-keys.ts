import { type KeyKind, kindOfKey, patternOf } from "./known-keys.ts";
import type { ConfigPath, ConfigProblem } from "./problem.ts";
import { NOT_SUPPORTED } from "./schema-values.ts";

/** Deeper than any sane config; what comes after it is a loop or an attack. */
const MAX_DEPTH = 64;

/** Names that reach an object's prototype when they are assigned or looked up. */
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"]);

export interface Screened {
  /** A copy without the keys that are passed over, refused or harmful. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly unknown: readonly ConfigPath[];
  /** Paths of passed-over keys by pattern: of twenty agents' workspaces one notice is enough. */
  readonly passedOver: ReadonlyMap<string, readonly ConfigPath[]>;
}

/** Takes out of a config what the schema must not see: keys of OpenClaw's, keys of ours not served yet, prototype keys. */
export function screenKeys(input: unknown): Screened {
  const problems: ConfigProblem[] = [];
  const unknown: ConfigPath[] = [];
  const passedOver = new Map<string, ConfigPath[]>();

  const sortOut = (kind: KeyKind, path: ConfigPath, pattern: string): void => {
    if (kind === "refused") problems.push({ path, message: NOT_SUPPORTED });
    else passedOver.set(pattern, [...(passedOver.get(pattern) ?? []), path]);
  };

  const screen = (value: unknown, path: ConfigPath, pattern: string): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (path.length > MAX_DEPTH) {
      problems.push({ path: path.slice(0, 4), message: `nested more than ${MAX_DEPTH} levels deep` });
      return null;
    }
    if (Array.isArray(value)) return value.map((item, index) => screen(item, [...path, index], `${pattern}.*`));
    if (!isPlainObject(value)) {
      problems.push({ path, message: "expected a plain object" });
      return null;
    }
    const kept: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(value)) {
      const childPath = [...path, key];
      const childPattern = patternOf(pattern, key);
      const kind = kindOfKey(childPattern);
      if (PROTOTYPE_KEYS.has(key)) unknown.push(childPath);
      else if (childPattern === "tools" && hasServers(input)) {
        // OpenClaw's policy may deny some of them: passed over, it would leave open what somebody closed.
        problems.push({ path: childPath, message: `${NOT_SUPPORTED}: use agents.defaults.tools` });
      } else if (kind !== undefined) sortOut(kind, childPath, childPattern);
      else kept[key] = screen(child, childPath, childPattern);
    }
    return kept;
  };

  return { value: screen(input, [], ""), problems, unknown, passedOver };
}

function hasServers(input: unknown): boolean {
  const servers = isPlainObject(input) && isPlainObject(input.mcp) ? input.mcp.servers : undefined;
  return isPlainObject(servers) && Object.keys(servers).length > 0;
}

/** Objects of another realm count: their prototype's prototype is null too. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
