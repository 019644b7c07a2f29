import type { AnyNode, ArrayNode, ObjectNode, ValueNode } from "@humanwhocodes/momoa";
import { EditError } from "./edit-error.ts";
import { memberOf } from "./json5.ts";
import { type Edit, Json5Source, type Range, rangeOf } from "./json5-source.ts";
import { formatPath } from "./problem.ts";

/**
 * The text of a JSON5 file with an item more at the end of a list. What is not there yet on the way to it is made;
 * everything else stays as it is, comments and order and spaces.
 * @throws EditError when something else than a list stands there
 */
export function appendToList(file: string, path: readonly string[], item: unknown): string {
  const source = new Json5Source(file);
  let node = source.body as ValueNode;
  for (const [depth, name] of path.entries()) {
    if (node.type !== "Object") throw new EditError(`${formatPath(path.slice(0, depth))} is not an object`);
    const member = memberOf(node, name);
    if (!member) {
      return insert(source, node, (indent) => {
        return `${nameText(source, name)}: ${nest(source, path.slice(depth + 1), item, indent)}`;
      });
    }
    node = member.value;
  }
  if (node.type !== "Array") throw new EditError(`${formatPath(path)} is not a list`);
  return insert(source, node, () => inline(source, item));
}

/** The text without an item of a list, and without a comment that ends its line. */
export function removeFromList(file: string, path: readonly string[], index: number): string {
  const source = new Json5Source(file);
  let node = source.body as ValueNode | undefined;
  for (const name of path) node = node?.type === "Object" ? memberOf(node, name)?.value : undefined;
  const elements = node?.type === "Array" ? node.elements : [];
  const element = elements[index];
  if (!element) throw new EditError(`${formatPath([...path, index])} is not there`);
  const before = elements[index - 1];
  const comma = source.commaAfter(element);
  const edits = [removal(source, rangeOf(element), comma, index + 1 < elements.length)];
  // A comment may stand between an item and its comma.
  if (comma && comma.from >= (edits[0]?.to ?? 0)) edits.push({ ...comma, text: "" });
  const commaBefore = before && !comma ? source.commaAfter(before) : undefined;
  if (commaBefore) edits.unshift({ ...commaBefore, text: "" });
  return source.apply(edits);
}

/** @param render writes the item, given the white space that its line begins with */
function insert(source: Json5Source, container: ObjectNode | ArrayNode, render: (indent: string) => string): string {
  const { text, newline, isJson } = source;
  const { from, to } = rangeOf(container);
  const last = source.lastWithin(container);
  const items: readonly AnyNode[] = container.type === "Object" ? container.members : container.elements;
  const lastItem = items.at(-1);
  const closing = source.indentAt(to - 1);
  if (last.to === from + 1) {
    const indent = source.indentAt(from) + source.indent;
    const end = `${isJson ? "" : ","}${newline}${source.indentAt(from)}`;
    return source.apply([{ from: from + 1, to: to - 1, text: `${newline}${indent}${render(indent)}${end}` }]);
  }
  const comma = lastItem && source.commaAfter(lastItem);
  const edits: Edit[] = [];
  if (lastItem && !comma) edits.push({ from: rangeOf(lastItem).to, to: rangeOf(lastItem).to, text: "," });
  if (text.slice(from, to).includes("\n")) {
    const start = lastItem && rangeOf(lastItem).from;
    const aligned = start !== undefined && source.beginsLine(start);
    const indent = aligned ? source.indentAt(start) : closing + source.indent;
    const end = !isJson && (comma || !lastItem) ? "," : "";
    edits.push({ from: last.to, to: last.to, text: `${newline}${indent}${render(indent)}${end}` });
  } else {
    edits.push({ from: last.to, to: last.to, text: ` ${render(closing)}` });
  }
  return source.apply(edits);
}

/** What goes with an element: its comma, and its line when nothing else but a comment stands there. */
function removal(source: Json5Source, { from, to }: Range, comma: Range | undefined, isFollowed: boolean): Edit {
  const { text } = source;
  const end = comma && text.slice(to, comma.from).trim() === "" ? comma.to : to;
  const rest = /^[ \t]*(?:\/\/[^\n]*|\/\*(?:(?!\*\/)[^\n])*\*\/[ \t]*)?\r?(?:\n|$)/.exec(text.slice(end))?.[0];
  const ownsLine = source.beginsLine(from) && rest !== undefined;
  if (ownsLine) return { from: source.lineStart(from), to: end + rest.length, text: "" };
  const spaces = (pattern: RegExp, around: string) => pattern.exec(around)?.[0].length ?? 0;
  if (isFollowed) return { from, to: end + spaces(/^[ \t]*/, text.slice(end)), text: "" };
  return { from: from - spaces(/[ \t]*$/, text.slice(0, from)), to: end, text: "" };
}

/** A list of one item under these names, one a line. */
function nest(source: Json5Source, names: readonly string[], item: unknown, indent: string): string {
  const { newline, isJson } = source;
  const [name, ...rest] = names;
  const deeper = indent + source.indent;
  const inner =
    name === undefined ? inline(source, item) : `${nameText(source, name)}: ${nest(source, rest, item, deeper)}`;
  const [open, close] = name === undefined ? "[]" : "{}";
  return `${open}${newline}${deeper}${inner}${isJson ? "" : ","}${newline}${indent}${close}`;
}

function inline(source: Json5Source, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => inline(source, item)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, item]) => `${nameText(source, name)}: ${inline(source, item)}`);
  return `{ ${members.join(", ")} }`;
}

function nameText({ isJson }: Json5Source, name: string): string {
  return !isJson && /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
