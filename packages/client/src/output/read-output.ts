import { OutputError } from "../errors.ts";
import { check, type OutputOf, type Schema } from "../schema.ts";
import type { ChatCompletion } from "../types.ts";

/** @throws OutputError */
export async function readOutput<S extends Schema>(schema: S, completion: ChatCompletion): Promise<OutputOf<S>> {
  // Its type is trusted, but not everything that stands before a gateway keeps to it.
  const choice = (completion as Partial<ChatCompletion> | null)?.choices?.[0];
  const { content, refusal } = choice?.message ?? {};
  const fail = (reason: OutputError["reason"], message: string) => new OutputError(reason, message, completion);
  if (refusal) throw fail("refusal", `The model refused: ${refusal}`);
  if (!choice) throw fail("incomplete", "The answer has no choices.");
  if (choice.finish_reason !== "stop") throw fail("incomplete", `The answer ended early (${choice.finish_reason}).`);
  let value: unknown;
  try {
    value = JSON.parse(content ?? "");
  } catch {
    throw fail("not-json", "The answer is not JSON.");
  }
  const checked = await check(schema, value);
  if ("problem" in checked) throw fail("invalid", `The answer does not fit the schema: ${checked.problem}`);
  return checked.value;
}
