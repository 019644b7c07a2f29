import { OpenClawError } from "./errors.ts";
import { misuse } from "./options.ts";

/** Any schema that can check a value: of zod, valibot, arktype and others. @see https://standardschema.dev */
export interface Schema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Checked<Output> | Promise<Checked<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** That of those that can tell. @see https://standardschema.dev/json-schema */
    readonly jsonSchema?: { readonly input: (options: { target: "draft-07" }) => Record<string, unknown> };
  };
}

type Checked<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What goes into a schema. */
export type InputOf<S extends Schema> = NonNullable<S["~standard"]["types"]>["input"];

/** What comes out of a schema. */
export type OutputOf<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];

export type JsonSchema = Readonly<Record<string, unknown>>;

/** More would cost the model tokens and tell it nothing new. */
const MAX_ISSUES = 5;

/**
 * What a schema takes, as JSON Schema.
 * @param place - Begins the message of an error.
 * @param member - Where one is given by hand.
 * @throws OpenClawError when it cannot tell
 */
export function toJsonSchema(schema: Schema, place: string, member: string): JsonSchema {
  // Types say so already, but not to everybody.
  const standard = schema?.["~standard"];
  if (typeof standard?.validate !== "function") misuse(`${place} needs a Standard Schema, of zod or valibot for one.`);
  const { jsonSchema } = standard;
  if (typeof jsonSchema?.input !== "function") {
    misuse(
      `${place}: its schema cannot tell its JSON Schema. Give that as \`${member}\`, or take a schema that can: zod 4.2 or later, valibot's in toStandardJsonSchema().`,
    );
  }
  let described: JsonSchema;
  try {
    described = jsonSchema.input({ target: "draft-07" });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OpenClawError(`${place}: its schema has no JSON Schema (${reason}). Give one as \`${member}\`.`, {
      cause,
    });
  }
  // The dialect: some providers refuse that, and none needs it.
  const { $schema: _, ...rest } = described;
  return rest;
}

/** The value as the schema makes it, or what is wrong with it, in words. */
export async function check<S extends Schema>(
  schema: S,
  value: unknown,
): Promise<{ value: OutputOf<S> } | { problem: string }> {
  const checked = await schema["~standard"].validate(value);
  const { issues } = checked;
  if (!issues) return { value: checked.value as OutputOf<S> };
  const lines = issues.slice(0, MAX_ISSUES).map(toLine);
  if (issues.length > MAX_ISSUES) lines.push(`and ${issues.length - MAX_ISSUES} more`);
  return { problem: lines.join("; ") };
}

function toLine({ path = [], message }: Issue): string {
  const names = path.map((part) => String(typeof part === "object" ? part.key : part));
  return names.length > 0 ? `${names.join(".")}: ${message}` : message;
}
