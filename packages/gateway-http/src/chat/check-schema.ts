import { GatewayError } from "../errors/gateway-error.ts";

const PARAM = "response_format.json_schema.schema";
/** Bytes of the schema as JSON. */
const MAX_BYTES = 64 * 1024;
/** Deepest nesting of objects and arrays in it. */
const MAX_DEPTH = 32;
/** Members that hold data or text, in which nothing means a schema. */
const DATA: ReadonlySet<string> = new Set(["enum", "const", "default", "examples"]);
/** Members that hold schemas by names of the caller's choice. */
const MAPS: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);
/** What no validator here follows: a schema that says it would be taken for less than it is. */
const UNKNOWN: ReadonlySet<string> = new Set(["$dynamicRef", "$recursiveRef"]);

/**
 * Checks what can be known of a JSON schema before an answer is: that it is of a size, refers to nothing outside
 * itself, and that its patterns are regular expressions. Whether it means something is whoever reads it to say.
 * @throws GatewayError 400
 */
export function checkSchema(schema: object): void {
  if (Buffer.byteLength(JSON.stringify(schema)) > MAX_BYTES) refuse(`must be at most ${MAX_BYTES} bytes of JSON`);
  if (isDeeperThan(schema, MAX_DEPTH)) refuse(`must not be nested deeper than ${MAX_DEPTH} levels`);
  const references: string[] = [];
  const anchors = new Set<string>();
  look(schema, references, anchors, true);
  for (const reference of references) {
    if (!reference.startsWith("#")) refuse(`$ref ${quote(reference)} is not of this schema: it must begin with "#"`);
    if (!leadsSomewhere(schema, reference.slice(1), anchors)) refuse(`$ref ${quote(reference)} leads nowhere`);
  }
}

function look(node: object, references: string[], anchors: Set<string>, isRoot = false): void {
  for (const [key, value] of Object.entries(node)) {
    if (key === "pattern" && typeof value === "string") checkPattern(value);
    else if (UNKNOWN.has(key)) refuse(`${key} is not supported`);
    else if (key === "$id" && !isRoot) refuse("$id is supported at its top only");
    else if (key === "$ref" && typeof value === "string") references.push(value);
    else if (/^\$(?:dynamicA|a)nchor$/.test(key) && typeof value === "string") anchors.add(value);
    if (typeof value !== "object" || value === null || DATA.has(key)) continue;
    if (key === "patternProperties") Object.keys(value).forEach(checkPattern);
    // Names of the caller's choice are no keywords, nor are places in a list.
    if (!MAPS.has(key) && !Array.isArray(value)) look(value, references, anchors);
    else {
      for (const inner of Object.values(value)) {
        if (typeof inner === "object" && inner !== null) look(inner, references, anchors);
      }
    }
  }
}

function checkPattern(pattern: string): void {
  try {
    new RegExp(pattern, "u");
  } catch {
    refuse(`${quote(pattern)} is not a regular expression`);
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc6901#section-6 */
function leadsSomewhere(schema: object, fragment: string, anchors: ReadonlySet<string>): boolean {
  if (fragment === "") return true;
  if (!fragment.startsWith("/")) return anchors.has(fragment);
  let node: unknown = schema;
  for (const step of fragment.slice(1).split("/")) {
    const key = decode(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return false;
    node = (node as Record<string, unknown>)[key];
  }
  return typeof node === "boolean" || (typeof node === "object" && node !== null && !Array.isArray(node));
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

export function isDeeperThan(value: object, depth: number): boolean {
  if (depth === 0) return true;
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null && isDeeperThan(inner, depth - 1)) return true;
  }
  return false;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100).toWellFormed());
}

function refuse(problem: string): never {
  throw new GatewayError("invalid_value", `${PARAM}: ${problem}.`, { param: PARAM });
}
