import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ConfigError } from "../errors/config-error.ts";
import { byName } from "./join-tools.ts";
import type { Tool, ToolContext, ToolResult, ToolSource } from "./tool.ts";
import { toToolParameters } from "./tool-parameters.ts";

/** A tool that is a function of this process. */
export interface ToolDefinition<Schema extends StandardSchemaV1 = StandardSchemaV1> {
  /** What it does and when to use it: the model reads this. */
  description?: string;
  /** A Standard Schema (zod, valibot, …) of an object. It checks what the model sent; `run` gets what it makes of it. */
  schema: Schema;
  /**
   * JSON Schema of an object, as the model is to see it.
   * @defaultValue what `schema` tells of itself, as those of zod 4.2 and valibot's `toStandardJsonSchema()` do
   */
  parameters?: Readonly<Record<string, unknown>>;
  /**
   * Returns, or resolves to, what the model reads: a string as it is, anything else as JSON, nothing as an empty text.
   * What it throws is told to the model as a failure, and the run goes on.
   */
  run(input: StandardSchemaV1.InferOutput<Schema>, context: ToolContext): unknown;
}

/** More would cost the model tokens and tell it nothing new. */
const MAX_ISSUES = 5;

/**
 * Functions as tools, there from the start.
 * @throws ConfigError naming agent and tool when a model cannot be told of it
 */
export function createFunctionTools(
  agentId: string,
  definitions: Readonly<Record<string, ToolDefinition>>,
): ToolSource {
  const tools = Object.entries(definitions)
    .map(([name, definition]) => createFunctionTool(agentId, name, definition))
    .sort(byName);
  return { ready: () => Promise.resolve(), list: () => tools };
}

function createFunctionTool(agentId: string, name: string, definition: ToolDefinition): Tool {
  const place = `agent ${agentId}, tool ${JSON.stringify(name)}`;
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new ConfigError(`${place}: a tool's name must be 1 to 64 of a-z, A-Z, 0-9, _ and -`);
  }
  // Types say so already, but not to everybody.
  const standard = definition?.schema?.["~standard"];
  if (typeof standard?.validate !== "function" || typeof definition.run !== "function") {
    throw new ConfigError(`${place}: needs a Standard Schema as \`schema\` and a function as \`run\``);
  }
  return {
    name,
    description: definition.description,
    parameters: toToolParameters(definition, place),
    async run(args, context) {
      const checked = await standard.validate(args);
      if (checked.issues) return { ok: false, text: `Invalid arguments: ${toText(checked.issues)}` };
      context.signal.throwIfAborted();
      return toResult(await definition.run(checked.value, context));
    },
  };
}

function toText(issues: readonly StandardSchemaV1.Issue[]): string {
  const texts = issues.slice(0, MAX_ISSUES).map(({ message, path }) => {
    const place = path?.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
    return place ? `${place}: ${message}` : message;
  });
  if (issues.length > MAX_ISSUES) texts.push(`and ${issues.length - MAX_ISSUES} more`);
  return texts.join("; ");
}

function toResult(value: unknown): ToolResult {
  if (typeof value === "string") return { ok: true, text: value };
  if (value === undefined) return { ok: true, text: "" };
  let reason = `it is a ${typeof value}`;
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text !== undefined) return { ok: true, text };
  } catch (error) {
    // What follows in the message of a cycle is a drawing of it.
    reason = String(error instanceof Error ? error.message : error).split("\n", 1)[0] ?? "";
  }
  return { ok: false, text: `The tool ran, but JSON cannot hold what it returned: ${reason}` };
}
