/** Grammar of an agent id, after lower-casing. `default` is reserved for the default agent. */
export const AGENT_ID_PATTERN = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Longest `model` accepted, in UTF-16 code units after trimming. */
export const MAX_MODEL_LENGTH = 256;

/** What a `model` name asks for. */
export type AgentTarget =
  /** The agent of the session key if it names one, else the default agent. */
  | { readonly kind: "default" }
  /** A named agent; `id` is lower-cased. Whether it exists is the gateway's to say. */
  | { readonly kind: "agent"; readonly id: string }
  /** No name of ours: an alias of an agent (`gpt-4o`), or unknown. `name` is trimmed and lower-cased. */
  | { readonly kind: "other"; readonly name: string };

const DEFAULT_NAMES = new Set(["", "openclaw", "openclaw/default", "openclaw:default", "agent:default"]);

/** Reads a `model` name: `openclaw`, `openclaw:<id>`, `openclaw/<id>`, `agent:<id>`, or something else. */
export function parseAgentTarget(model: string | null | undefined): AgentTarget {
  const name = (model ?? "").trim().toLowerCase();
  if (DEFAULT_NAMES.has(name)) return { kind: "default" };
  const id = /^(?:openclaw[:/]|agent:)(.*)$/s.exec(name)?.[1];
  if (id !== undefined && isAgentId(id)) return { kind: "agent", id };
  return { kind: "other", name };
}

/** Whether `id` can name an agent. Expects lower case. */
export function isAgentId(id: string): boolean {
  return id !== "default" && AGENT_ID_PATTERN.test(id);
}
