import { z } from "zod";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * Patterns of all keys an object schema takes, for example `gateway.port` and `agents.list.*.id`. Read off its JSON
 * schema, so that no second list of keys has to be kept.
 */
export function schemaPaths(schema: z.ZodType): string[] {
  return [...new Set(walk(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), ""))];
}

function walk(schema: JsonSchema, parent: string): string[] {
  const at = (key: string) => (parent === "" ? key : `${parent}.${key}`);
  const properties = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    at(key),
    ...walkChild(value, at(key)),
  ]);
  const items = Array.isArray(schema.items) ? [] : walkChild(schema.items, at("*"));
  const keyed = walkChild(schema.additionalProperties, at("*"));
  const branches = (schema.anyOf ?? []).flatMap((branch) => walkChild(branch, parent));
  return [...properties, ...items, ...keyed, ...branches];
}

function walkChild(schema: JsonSchema | boolean | undefined, path: string): string[] {
  return typeof schema === "object" ? walk(schema, path) : [];
}
