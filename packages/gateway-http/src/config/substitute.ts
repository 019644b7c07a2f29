import type { ConfigPath, ConfigProblem } from "./problem.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `${UPPER_VAR}` in every string of a config by the environment's value; `$${` stands for a literal `${`.
 * What was put in is not looked at again, so that a variable's value can hold anything.
 *
 * @param standIn what to put where a variable is not set; `undefined`: that is a problem
 */
export function substitute(
  value: unknown,
  variables: Variables | undefined,
  standIn: (name: string, path: ConfigPath) => string | undefined = () => undefined,
): { value: unknown; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  if (variables === undefined) return { value, problems };
  const visit = (node: unknown, path: ConfigPath): unknown => {
    if (typeof node === "string") return expand(node, path);
    if (Array.isArray(node)) return node.map((item, index) => visit(item, [...path, index]));
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, visit(child, [...path, key])]));
  };
  const expand = (text: string, path: ConfigPath): string =>
    text.replace(/\$\$\{|\$\{([A-Z_][A-Z0-9_]*)\}/g, (_match, name: string | undefined) => {
      if (name === undefined) return "${";
      const found = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (found !== undefined && found !== "") return found;
      const instead = standIn(name, path);
      if (instead !== undefined) return instead;
      problems.push({ path, message: `the environment variable ${name} is not set` });
      return "";
    });
  return { value: visit(value, []), problems };
}
