import { misuse } from "./options.ts";

/** Any schema that can check a value: of zod, valibot, arktype and others. @see https://standardschema.dev */
export interface Schema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** That of those that can tell. @see https://standardschema.dev/json-schema */
    readonly jsonSchema?: { readonly input: (options: { target: string }) => Record<string, unknown> };
  };
}

type Checked<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What comes out of a schema. */
export type OutputOf<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What a schema takes, as JSON Schema.
 * @throws OpenClawError when it cannot tell
 */
export function toJsonSchema(schema: Schema, place: string): JsonSchema {
  const { jsonSchema } = schema["~standard"];
  if (!jsonSchema) {
    misuse(
      `${place}: its schema cannot tell its JSON Schema. Give one beside it, or take a schema that can: zod 4.2 or later, valibot's in toStandardJsonSchema().`,
    );
  }
  const { $schema: _, ...rest } = jsonSchema.input({ target: "draft-07" });
  return rest;
}

/** The value as the schema makes it, or what is wrong with it, in words. */
export async function check<S extends Schema>(
  schema: S,
  value: unknown,
): Promise<{ value: OutputOf<S> } | { problem: string }> {
  const checked = await schema["~standard"].validate(value);
  return checked.issues ? { problem: checked.issues.map(toLine).join("; ") } : { value: checked.value as OutputOf<S> };
}

function toLine({ path = [], message }: Issue): string {
  const names = path.map((part) => String(typeof part === "object" ? part.key : part));
  return names.length > 0 ? `${names.join(".")}: ${message}` : message;
}
