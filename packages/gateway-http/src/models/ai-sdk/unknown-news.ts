/** Where an event of Anthropic's says what it is about. */
const PLACES = new Set(["type", "content_block.type", "delta.type"]);

interface ValidationError {
  name?: unknown;
  value?: unknown;
  cause?: { issues?: readonly { code?: unknown; path?: readonly unknown[] }[] } | null;
}

/**
 * Whether an event could not be read only because the library does not know its type. Anthropic adds types as it goes
 * and asks its callers to pass over those they do not know.
 * @see https://docs.anthropic.com/en/api/versioning
 */
export function isUnknownNews(error: unknown): boolean {
  const { name, value, cause } = (error ?? {}) as ValidationError;
  if (name !== "AI_TypeValidationError") return false;
  const [issue, ...others] = Array.isArray(cause?.issues) ? cause.issues : [];
  if (others.length > 0 || !String(issue?.code).startsWith("invalid_union")) return false;
  const path = issue?.path ?? [];
  if (!PLACES.has(path.join("."))) return false;
  let found = value;
  for (const member of path) found = (found as Record<string, unknown> | null | undefined)?.[String(member)];
  return typeof found === "string";
}
