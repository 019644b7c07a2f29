import type { ChatCompletion } from "@openclaw/protocol";
import { OutputError } from "../errors.ts";
import { check, type OutputOf, type Schema } from "../schema.ts";

/** @throws OutputError */
export async function readOutput<S extends Schema>(schema: S, completion: ChatCompletion): Promise<OutputOf<S>> {
  const [choice] = completion.choices;
  const { content, refusal } = choice?.message ?? {};
  const fail = (reason: OutputError["reason"], message: string) => new OutputError(reason, message, completion);
  if (refusal) throw fail("refusal", `The model refused: ${refusal}`);
  if (choice?.finish_reason !== "stop") throw fail("incomplete", `The answer ended early (${choice?.finish_reason}).`);
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
