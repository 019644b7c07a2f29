import { parseJsonObject } from "../chat/json-object.ts";

/** Levels of arguments that are told as what they are. JSON can be read far deeper than it can be written again. */
const MAX_DEPTH = 64;

/** The arguments of a call: the object that they are, or else, and when they are nested deeper, their text. */
export function toArguments(text: string): Record<string, unknown> | string {
  const value = parseJsonObject(text);
  return value === undefined || isDeeper(value, MAX_DEPTH) ? text : value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
