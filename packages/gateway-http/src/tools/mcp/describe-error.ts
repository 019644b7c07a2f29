const MAX_CHARACTERS = 300;

/** What the SDK and its schemas say of an answer that is not one of the protocol's is a list in several lines. */
const INVALID = "it gave an answer that is not one of the protocol's";

/** One line for a log or a model: what went wrong at the bottom of it. Bodies of HTTP answers are not repeated. */
export function describeError(error: unknown): string {
  const chain = causes(error);
  const refused = chain.find((one) => typeof one.status === "number");
  if (refused) return `it answered with HTTP ${refused.status}`;
  if (chain.some((one) => one.code === "INVALID_RESULT" || Array.isArray(one.issues))) return INVALID;
  const { message = "", code = "" } = chain.at(-1) ?? {};
  // Of several addresses that were tried in vain Node tells only the code.
  const text = message || code || String(error);
  return (text.split("\n", 1)[0] ?? "").slice(0, MAX_CHARACTERS);
}

interface Described {
  readonly message?: string;
  readonly code?: string;
  readonly status?: unknown;
  readonly issues?: unknown;
}

function causes(error: unknown): Described[] {
  const chain: Described[] = [];
  for (let at = error; at instanceof Error && chain.length < 10; at = at.cause) chain.push(at as Described);
  return chain;
}
