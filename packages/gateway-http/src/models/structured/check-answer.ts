import { createContext, Script } from "node:vm";
import { type Structure, withoutFences } from "./structure.ts";

/** Milliseconds that checking one answer may take. It holds up every other run meanwhile. */
const MAX_CHECK_MS = 100;
const MAX_PROBLEMS = 10;
const MAX_PROBLEM_LENGTH = 300;
/** They say only that something inside is wrong, which is said too. */
const OUTER: ReadonlySet<string> = new Set(["properties", "items", "prefixItems", "$ref", "allOf", "false"]);

export type Checked =
  | { json: string }
  | {
      /** For the model, and for the caller. */
      problems: readonly string[];
      /** Whether another answer could be valid. */
      mayRepair: boolean;
    };

/** Whether the text of an answer is the JSON that was asked for. */
export async function checkAnswer(text: string, structure: Structure): Promise<Checked> {
  // Loaded on first use: most gateways never need it.
  const { Validator } = await import("@cfworker/json-schema");
  const json = withoutFences(text);
  let checked: Checked | undefined;
  const isDone = inTime(() => {
    checked = check(json, structure, (schema) => new Validator(schema as object, "2020-12", false));
  });
  if (isDone && checked) return checked;
  return invalid(`It could not be checked within ${MAX_CHECK_MS} ms: a pattern of the schema takes too long on it.`);
}

type Validate = (schema: unknown) => {
  validate(value: unknown): {
    valid: boolean;
    errors: readonly { keyword: string; instanceLocation: string; error: string }[];
  };
};

function check(json: string, { schema, isObject }: Structure, createValidator: Validate): Checked {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return invalid(json === "" ? "It is empty." : `It is not JSON: ${(error as Error).message}`);
  }
  if (isObject && (typeof value !== "object" || value === null || Array.isArray(value))) {
    return invalid("It is JSON, but not an object.");
  }
  if (schema === undefined) return { json };
  try {
    // From its text, because the validator writes into it.
    const { valid, errors } = createValidator(JSON.parse(schema)).validate(value);
    if (valid) return { json };
    const inner = errors.filter(({ keyword }) => !OUTER.has(keyword));
    return invalid(
      ...(inner.length > 0 ? inner : errors).map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`),
    );
  } catch (error) {
    // The stack's end: data or a schema that goes round in circles.
    if (error instanceof RangeError) return invalid("It is nested too deeply to be checked.");
    return { ...invalid(`The schema cannot be used: ${(error as Error).message}`), mayRepair: false };
  }
}

function invalid(...problems: string[]): Extract<Checked, { problems: unknown }> {
  const shown = problems.slice(0, MAX_PROBLEMS).map((text) => text.slice(0, MAX_PROBLEM_LENGTH).toWellFormed());
  return { problems: shown, mayRepair: true };
}

let clock: { sandbox: { task: () => void }; script: Script } | undefined;

/**
 * Runs the task, and stops it wherever it is after {@link MAX_CHECK_MS}, in the midst of a regular expression too: only
 * V8's own clock can, and `vm` is the way to it. It is no sandbox here: the script is one call, the task runs in our
 * own realm, and no value crosses into another.
 */
function inTime(task: () => void): boolean {
  clock ??= { sandbox: createContext({ task }) as { task: () => void }, script: new Script("task()") };
  const { sandbox, script } = clock;
  sandbox.task = task;
  try {
    script.runInContext(sandbox, { timeout: MAX_CHECK_MS });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
    throw error;
  } finally {
    // Nothing of an answer is kept.
    sandbox.task = () => {};
  }
}
