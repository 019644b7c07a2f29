import picomatch from "picomatch";
import type { ToolSource } from "./tool.ts";

/** Which tools an agent may call, by globs of their names: `files__*`. */
export interface ToolPolicy {
  /** @defaultValue all of them; `[]` is none */
  readonly allow?: readonly string[] | undefined;
  /** Beats `allow`. @defaultValue none */
  readonly deny?: readonly string[] | undefined;
}

/** What OpenAI takes in one request, and more than any model chooses well from. */
export const MAX_TOOLS = 128;

/** A source that wants to know when an agent gets only some of its tools. */
interface BoundedSource extends ToolSource {
  onTooMany?(allowed: number): void;
}

/** The tools of `source` that a policy lets through, now and whenever they change; no more than {@link MAX_TOOLS}. */
export function allowTools(source: BoundedSource, { allow, deny = [] }: ToolPolicy): ToolSource {
  // Nothing to wait for.
  if (allow?.length === 0) return { ready: () => Promise.resolve(), list: () => [] };
  const isAllowed = allow === undefined ? () => true : toMatcher(allow);
  const isDenied = toMatcher(deny);
  return {
    ready: () => source.ready(),
    list() {
      const allowed = source.list().filter(({ name }) => isAllowed(name) && !isDenied(name));
      if (allowed.length > MAX_TOOLS) source.onTooMany?.(allowed.length);
      return allowed.slice(0, MAX_TOOLS);
    },
  };
}

/** Without negation: in a list of which one has to fit, `!x` would let in everything else. */
function toMatcher(globs: readonly string[]): (name: string) => boolean {
  return globs.length === 0 ? () => false : picomatch([...globs], { nonegate: true });
}
