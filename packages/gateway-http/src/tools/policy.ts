import picomatch from "picomatch";
import type { ToolSource } from "./tool.ts";

/** Which tools an agent may call, by globs of their names: `files__*`. */
export interface ToolPolicy {
  /** @defaultValue all of them; `[]` is none */
  readonly allow?: readonly string[] | undefined;
  /** Beats `allow`. @defaultValue none */
  readonly deny?: readonly string[] | undefined;
}

/** The tools of `source` that a policy lets through, now and whenever they change. */
export function allowTools(source: ToolSource, { allow, deny = [] }: ToolPolicy): ToolSource {
  if (allow === undefined && deny.length === 0) return source;
  const isAllowed = allow === undefined ? () => true : toMatcher(allow);
  const isDenied = toMatcher(deny);
  return {
    ready: () => source.ready(),
    list: () => source.list().filter(({ name }) => isAllowed(name) && !isDenied(name)),
  };
}

/** Without negation: in a list of which one has to fit, `!x` would let in everything else. */
function toMatcher(globs: readonly string[]): (name: string) => boolean {
  return globs.length === 0 ? () => false : picomatch([...globs], { nonegate: true });
}
