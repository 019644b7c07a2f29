import { misuse } from "../options.ts";
import { check, type JsonSchema, type OutputOf, type Schema, toJsonSchema } from "../schema.ts";
import type { ChatCompletion, ChatCompletionRequestInput } from "../types.ts";

export type ToolCall = NonNullable<ChatCompletion["choices"][number]["message"]["tool_calls"]>[number];
type ToolParam = NonNullable<ChatCompletionRequestInput["tools"]>[number];

/** What a tool gets beside its arguments. */
export interface ToolContext {
  /** Aborted when the run is, or has failed: what the tool gives after that is not used. */
  signal: AbortSignal;
  /** The id of the call. */
  id: string;
}

/** A function that a model may call. */
export interface Tool<S = Schema> {
  /** What it does and when to use it: the model reads this. */
  description?: string;
  /**
   * A Standard Schema (zod, valibot, …) of an object. It checks what the model sent; `run` gets what it makes of it. For
   * a tool without arguments that of an empty object. Only with `parameters` it may be left out, as for a tool of an MCP
   * server: `run` then gets what the model sent, unchecked.
   */
  schema?: S & Schema;
  /**
   * JSON Schema of an object, as the model is to see it.
   * @defaultValue what `schema` tells of itself, as those of zod 4.2 and valibot's `toStandardJsonSchema()` do
   */
  parameters?: JsonSchema;
  /** Whether the model is to keep to the JSON Schema strictly, where it can. Left to the model's server by default. */
  strict?: boolean;
  /**
   * Returns, or resolves to, what the model reads: a string as it is, anything else as JSON, nothing as an empty text.
   * The message of what it throws is told to the model, and the run goes on.
   */
  run(args: ArgsOf<S>, context: ToolContext): unknown;
}

/** Of a tool without a schema nothing is known. */
type ArgsOf<S> = S extends Schema ? OutputOf<S> : unknown;

/** By the names that the model sees. */
export type Tools<Schemas extends Record<string, unknown> = Record<string, Schema>> = {
  readonly [Name in keyof Schemas]: Tool<Schemas[Name]>;
};

/** What came of a call. */
export interface ToolResult {
  /** The id of the call. */
  id: string;
  name: string;
  /** As the model is told. */
  content: string;
  /** Whether it failed: no such tool, wrong arguments, something thrown, or a value that JSON cannot hold. */
  isError: boolean;
  /** What was thrown. */
  error?: unknown;
}

const NAME = /^[\w-]{1,64}$/;

/**
 * The tools as a request names them.
 * @throws OpenClawError
 */
export function toToolParams(tools: Tools): ToolParam[] {
  return Object.entries(tools).map(([name, { description, schema, parameters, strict, run }]) => {
    if (!NAME.test(name))
      misuse(`The tool ${JSON.stringify(name)} must be named by 1 to 64 of a-z, A-Z, 0-9, _ and -.`);
    if (typeof run !== "function") misuse(`The tool ${name} has no function \`run\`.`);
    const described = parameters ?? toJsonSchema(schema as Schema, `The tool ${name}`, "parameters");
    if (described.type !== "object") misuse(`The tool ${name} must take an object: its arguments have names.`);
    return {
      type: "function",
      function: {
        name,
        ...(description !== undefined && { description }),
        parameters: { ...described },
        ...(strict !== undefined && { strict }),
      },
    };
  });
}

/** Does what was called. Never fails: what went wrong is for the model to know. */
export async function callTool(
  tools: Tools,
  { id, function: call }: ToolCall,
  signal: AbortSignal,
): Promise<ToolResult> {
  const { name } = call;
  const fail = (content: string, more?: { error: unknown }): ToolResult => ({
    ...{ id, name, content: content.toWellFormed(), isError: true },
    ...more,
  });
  const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
  if (!tool) return fail(`There is no tool ${JSON.stringify(name)}, but these: ${Object.keys(tools).join(", ")}.`);
  let value: unknown;
  try {
    const read = readArguments(call.arguments);
    if (!read) return fail(`The arguments of ${name} are not JSON.`);
    const checked = tool.schema ? await check(tool.schema, read.value) : read;
    if ("problem" in checked) return fail(`The arguments of ${name} are wrong: ${checked.problem}`);
    signal.throwIfAborted();
    value = await tool.run(checked.value, { signal, id });
  } catch (error) {
    return fail(`Error: ${messageOf(error)}`, { error });
  }
  try {
    return { id, name, content: toText(value).toWellFormed(), isError: false };
  } catch (error) {
    // What follows in the message of a cycle is a drawing of it.
    const [reason] = messageOf(error).split("\n", 1);
    return fail(`The tool ran, but JSON cannot hold what it returned: ${reason}`, { error });
  }
}

/** Models leave out the arguments of a function that has none. */
function readArguments(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text.trim() || "{}") };
  } catch {
    return undefined;
  }
}

function toText(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : (JSON.stringify(value) as string | undefined);
  if (text === undefined) throw new TypeError(`It is a ${typeof value}.`);
  return text;
}

/** Anything can be thrown, also what cannot be written as text. */
function messageOf(error: unknown): string {
  const message: unknown = error instanceof Error ? error.message : error;
  return typeof message === "string" && message ? message : "The tool failed.";
}
