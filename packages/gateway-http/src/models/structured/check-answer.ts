import { createContext, Script } from "node:vm";
import { type Structure, withoutFences } from "./structure.ts";

/** Milliseconds of work that checking an answer may take, and for each KiB of it. It holds up every other run meanwhile. */
const CHECK_MS = 100;
const CHECK_MS_PER_KIB = 1;
/** On a busy machine the time may be over without the work being done. */
const MAX_TRIES = 5;
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
  const isDone = inTime(CHECK_MS + (CHECK_MS_PER_KIB * json.length) / 1024, () => {
    checked = check(json, structure, (schema) => new Validator(schema as object, "2020-12", false));
  });
  if (isDone && checked) return checked;
  // Other words might fit a pattern sooner; a schema that is work without one is work with any words.
  const mayRepair = /"pattern/.test(structure.schema ?? "");
  return { ...invalid("It takes too long to be checked against the schema."), mayRepair };
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

/** Runs the task for so many milliseconds of work at most. @returns whether it came to its end */
function inTime(limitMs: number, task: () => void): boolean {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = process.cpuUsage();
    if (runFor(Math.ceil(limitMs), task)) return true;
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 > limitMs / 2) return false;
  }
  return false;
}

/**
 * Runs the task, and stops it wherever it is, in the midst of a regular expression too: only V8's own clock can, and
 * `vm` is the way to it. It is no sandbox here: the script is one call, the task runs in our own realm, and no value
 * crosses into another.
 */
function runFor(timeout: number, task: () => void): boolean {
  clock ??= { sandbox: createContext({ task }) as { task: () => void }, script: new Script("task()") };
  const { sandbox, script } = clock;
  sandbox.task = task;
  try {
    script.runInContext(sandbox, { timeout });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
    throw error;
  } finally {
    // Nothing of an answer is kept.
    sandbox.task = () => {};
  }
}
