import type { ChatCompletion, ChatCompletionRequestInput } from "@openclaw/protocol";
import { misuse } from "../options.ts";
import { check, type JsonSchema, type OutputOf, type Schema, toJsonSchema } from "../schema.ts";

type ToolCall = NonNullable<ChatCompletion["choices"][number]["message"]["tool_calls"]>[number];
type ToolParam = NonNullable<ChatCompletionRequestInput["tools"]>[number];

/** What a tool gets beside its arguments. */
export interface ToolContext {
  /** Aborted when the run is: what the tool gives after that is not used. */
  signal: AbortSignal;
  /** The id of the call. */
  id: string;
}

/** A function that a model may call. */
export interface Tool<S extends Schema = Schema> {
  /** For the model. */
  description?: string;
  /** Checks and types the arguments, and describes them to the model if it can tell its JSON Schema. */
  schema: S;
  /** The arguments as JSON Schema, in place of the schema's own. */
  parameters?: JsonSchema;
  /** Whether the model is to keep to the schema strictly, where it can. */
  strict?: boolean;
  /**
   * What it gives goes to the model: text as it is, everything else as JSON. What it throws does as well, so that the
   * model can try something else.
   */
  run(args: OutputOf<S>, context: ToolContext): unknown;
}

/** By the names that the model sees. */
export type Tools<Schemas extends Record<string, Schema> = Record<string, Schema>> = {
  readonly [Name in keyof Schemas]: Tool<Schemas[Name]>;
};

/** What came of a call. */
export interface ToolResult {
  id: string;
  name: string;
  /** As the model is told. */
  content: string;
  /** Whether it failed: no such tool, wrong arguments, or something thrown. */
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
    const described = parameters ?? toJsonSchema(schema, `The tool ${name}`);
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
  const fail = (content: string, error?: unknown): ToolResult => ({
    ...{ id, name, content, isError: true },
    ...(error !== undefined && { error }),
  });
  const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
  if (!tool) return fail(`There is no tool ${JSON.stringify(name)}.`);
  try {
    const read = readArguments(call.arguments);
    if ("problem" in read) return fail(read.problem);
    const checked = await check(tool.schema, read.value);
    if ("problem" in checked) return fail(`The arguments are wrong: ${checked.problem}`);
    return { id, name, content: toText(await tool.run(checked.value, { signal, id })), isError: false };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), error);
  }
}

/** Models leave out the arguments of a function that has none. */
function readArguments(text: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(text || "{}") };
  } catch {
    return { problem: "The arguments are not JSON." };
  }
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
