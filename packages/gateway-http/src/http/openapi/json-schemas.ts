import { listElements } from "@openclaw/protocol";
import { z } from "zod";

export type JsonSchema = Record<string, unknown>;

/** Schemas by the names that the document gives them. */
export type NamedSchemas = Readonly<Record<string, z.ZodType>>;

/** A reference to a shared shape. */
export function shape(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/**
 * JSON Schema 2020-12 of zod schemas, as OpenAPI 3.1 takes it. Wherever one of them stands in another, it is referred to.
 * Members that a shape does not name are allowed, unless its zod schema is strict.
 * @param io `input`: what is accepted; `output`: what is answered
 */
export function toJsonSchemas(named: NamedSchemas, io: "input" | "output"): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const override: NonNullable<z.core.ToJSONSchemaParams["override"]> = ({ zodSchema, jsonSchema }) => {
    const element = listElements.get(zodSchema);
    if (element) jsonSchema.items = withoutMeta(z.toJSONSchema(element, { io, override }));
    const { def } = zodSchema._zod;
    if (def.type === "object" && !isStrict(def as z.core.$ZodObjectDef)) delete jsonSchema.additionalProperties;
    // Beyond these, a number in JSON is no whole number any more: true, but no limit of ours.
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  };
  const { schemas } = z.toJSONSchema(registry, { io, override, uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutMeta(schema)]));
}

function isStrict({ catchall }: z.core.$ZodObjectDef): boolean {
  return catchall?._zod.def.type === "never";
}

/** The document says once which JSON Schema this is, and a reference says where. */
function withoutMeta({ $schema, $id, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
