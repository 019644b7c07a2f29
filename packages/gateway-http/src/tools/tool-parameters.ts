import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { ConfigError } from "../errors/config-error.ts";

interface Described {
  readonly schema: StandardSchemaV1;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/** Deeper is a cycle, or would overflow the stack of whoever writes it as JSON. */
const MAX_DEPTH = 100;

class NotPlain extends Error {}

/**
 * The JSON Schema of a function's arguments: the one that was given, else what the schema tells of itself. A copy.
 * @param place begins the message of an error
 * @throws ConfigError when there is none, or it is no JSON Schema of an object
 */
export function toToolParameters({ schema, parameters }: Described, place: string): Record<string, unknown> {
  const read = readParameters(parameters ?? describe(schema, place));
  if ("parameters" in read) return read.parameters;
  const name = parameters === undefined ? "the JSON Schema of `schema`" : "`parameters`";
  throw new ConfigError(`${place}: ${name} ${read.problem}`);
}

/**
 * A copy of what should be JSON Schema of an object, as providers take it. It says of itself which dialect it is in,
 * which some refuse and none needs: that is left out.
 */
export function readParameters(
  given: unknown,
): { readonly parameters: Record<string, unknown> } | { readonly problem: string } {
  try {
    const copy = toPlain(given);
    if (!isObject(copy) || copy.type !== "object") {
      return { problem: 'must have `type: "object"`: arguments have names' };
    }
    const { $schema: _, ...parameters } = copy;
    return { parameters };
  } catch (error) {
    if (error instanceof NotPlain) return { problem: error.message };
    throw error;
  }
}

/** What a schema says that it takes, in the dialect that both libraries and providers know best. */
function describe(schema: StandardSchemaV1, place: string): unknown {
  const standard: Partial<StandardJSONSchemaV1["~standard"]> = schema["~standard"];
  if (typeof standard.jsonSchema?.input !== "function") {
    throw new ConfigError(
      `${place}: its schema cannot tell its JSON Schema. Add one as \`parameters\`, or take a schema that can: zod 4.2 or later, valibot's in toStandardJsonSchema()`,
    );
  }
  try {
    return standard.jsonSchema.input({ target: "draft-07" });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`${place}: its schema has no JSON Schema (${reason}). Add one as \`parameters\``, { cause });
  }
}

/** A copy that is what JSON would write; members that are `undefined` are left out, as JSON leaves them out. */
function toPlain(value: unknown, path: readonly string[] = []): unknown {
  if (path.length > MAX_DEPTH) throw new NotPlain("goes round in circles, or is nested too deep");
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, index) => toPlain(item, [...path, String(index)]));
  if (!isObject(value)) {
    throw new NotPlain(`must be plain JSON${path.length > 0 ? `, and ${path.join(".")} is not` : ""}`);
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, toPlain(item, [...path, key])]])),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
