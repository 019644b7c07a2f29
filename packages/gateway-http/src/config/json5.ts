import { type AnyNode, evaluate, type MemberNode, type ObjectNode, parse, type ValueNode } from "@humanwhocodes/momoa";
import { ConfigError } from "../errors/config-error.ts";
import type { ConfigPath, Locate } from "./problem.ts";
import { formatPath } from "./problem.ts";

export interface Json5 {
  readonly value: unknown;
  readonly locate: Locate;
}

/**
 * Reads JSON5, with the lines of everything in it.
 *
 * @param name - The file's name, for messages.
 * @throws {@link ConfigError} as `name:line:column: what`, also for a key given twice: JSON5 would silently take the last.
 */
export function readJson5(text: string, name: string): Json5 {
  const body = parseText(text, name);
  const twice = [...duplicates(body, [])];
  if (twice.length > 0) throw new ConfigError(twice.map((message) => `${name}${message}`).join("\n"));
  return { value: evaluate(body), locate: (path) => lineOf(body, path) };
}

function parseText(text: string, name: string): ValueNode {
  try {
    return parse(text.replace(/^\uFEFF/, ""), { mode: "json5" }).body;
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError(`${name}: nested too deeply`, { cause: error });
    if (!(error instanceof Error)) throw error;
    const { line, column } = error as { line?: number; column?: number };
    const place = line === undefined ? name : `${name}:${line}:${column}`;
    throw new ConfigError(`${place}: ${error.message.replace(/ \(\d+:\d+\)$/, "")}`, { cause: error });
  }
}

function* duplicates(node: ValueNode, path: ConfigPath): Generator<string> {
  if (node.type === "Array") {
    for (const [index, element] of node.elements.entries()) yield* duplicates(element.value, [...path, index]);
  }
  if (node.type !== "Object") return;
  const lines = new Map<string, number>();
  for (const { name, value, loc } of node.members) {
    const key = keyOf(name);
    const first = lines.get(key);
    const { line, column } = loc.start;
    if (first === undefined) lines.set(key, line);
    else yield `:${line}:${column}: ${formatPath([...path, key])} is given twice, first on line ${first}`;
    yield* duplicates(value, [...path, key]);
  }
}

/** The line of the key a path ends with, or of the innermost thing on the way that is there. */
function lineOf(body: ValueNode, path: ConfigPath): number | undefined {
  let node = body;
  let line: number | undefined;
  for (const key of path) {
    const child: { loc: { start: { line: number } }; value: ValueNode } | undefined =
      node.type === "Array" && typeof key === "number"
        ? node.elements[key]
        : node.type === "Object"
          ? memberOf(node, key)
          : undefined;
    if (child === undefined) break;
    line = child.loc.start.line;
    node = child.value;
  }
  return line;
}

export function memberOf(node: ObjectNode, key: string | number): MemberNode | undefined {
  return node.members.find((member) => keyOf(member.name) === String(key));
}

function keyOf(name: AnyNode): string {
  return String(evaluate(name));
}
