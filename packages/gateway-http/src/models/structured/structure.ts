import type { ResponseFormat } from "@openclaw/protocol";

/** JSON that an answer is to be. */
export interface Structure {
  /** As JSON text; `undefined` when any object will do, or any value where the caller named no schema. */
  readonly schema: string | undefined;
  readonly isObject: boolean;
  /** What the caller calls it, in one line. */
  readonly about: string;
}

/** What a `response_format` asks for; `undefined` for plain text. */
export function toStructure(format: unknown): Structure | undefined {
  const { type, json_schema } = (format ?? {}) as Partial<Extract<ResponseFormat, { type: "json_schema" }>>;
  if ((type as string) === "json_object") return { schema: undefined, isObject: true, about: "" };
  if (type !== "json_schema") return undefined;
  const { name, description, schema } = json_schema ?? {};
  const about = [name, description].filter(Boolean).join(": ").replace(/\s+/g, " ");
  return { schema: schema == null ? undefined : JSON.stringify(schema), isObject: false, about };
}

/** Of the text of an answer: models put JSON between code fences, whatever they are told. */
export function withoutFences(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith("```") || !trimmed.endsWith("```")) return trimmed;
  const lineEnd = trimmed.indexOf("\n");
  return lineEnd === -1 ? trimmed : trimmed.slice(lineEnd + 1, -3).trim();
}
