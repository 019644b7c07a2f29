import type { z } from "zod";
import { GatewayError } from "../errors/gateway-error.ts";

type Issue = z.core.$ZodIssue;

/**
 * Turns the first thing a schema found wrong into a 400 that names the parameter.
 * @param at where in the body the checked value stands
 */
export function toValidationError(error: z.ZodError, ...at: string[]): GatewayError {
  const { issue, path } = deepest(error.issues[0] as Issue, at);
  const param = toParam(path);
  const code = isTypeIssue(issue) ? "invalid_type" : "invalid_value";
  return new GatewayError(code, `${param || "The body"}: ${sentence(issue)}`, { param: param || undefined });
}

/**
 * A union reports every alternative; the one that got furthest into the value is the one the caller meant. Paths
 * inside a union are relative to it.
 */
function deepest(issue: Issue, base: readonly PropertyKey[]): { issue: Issue; path: readonly PropertyKey[] } {
  const path = [...base, ...issue.path];
  if (issue.code !== "invalid_union") return { issue, path };
  let best: { issue: Issue; path: readonly PropertyKey[] } = { issue, path };
  for (const alternative of issue.errors) {
    for (const inner of alternative) {
      const found = deepest(inner, path);
      const further = found.path.length - best.path.length;
      // At the same place, a wrong value tells more than a wrong type: it was at least of that alternative's type.
      if (further > 0 || (further === 0 && isTypeIssue(best.issue) && !isTypeIssue(found.issue))) best = found;
    }
  }
  return best;
}

function isTypeIssue(issue: Issue): boolean {
  if (issue.code === "invalid_type") return true;
  // No alternative got anywhere: the value is of none of their types. A wrong discriminator is a wrong value.
  return issue.code === "invalid_union" && !("discriminator" in issue && issue.discriminator !== undefined);
}

function sentence(issue: Issue): string {
  if (issue.code === "invalid_union") {
    return "discriminator" in issue && issue.discriminator !== undefined
      ? "is not a known value."
      : "has none of the types it may have.";
  }
  const text = issue.message.replace(/^Invalid input: /, "");
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** `["messages", 0, "content"]` → `messages[0].content`, as OpenAI writes it. */
function toParam(path: readonly PropertyKey[]): string {
  let param = "";
  for (const key of path) {
    if (typeof key === "number") param += `[${key}]`;
    else param += param === "" ? String(key) : `.${String(key)}`;
  }
  return param.slice(0, 200);
}
