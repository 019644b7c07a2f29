import type { SocketEventPayload } from "@openclaw/client/socket";
import { endThought, type Part, toAnswerText } from "./parts.ts";

/** The same parts, once their answer says all this. */
export function sayAll(parts: readonly Part[], text: string): readonly Part[] {
  const said = toAnswerText(parts);
  // Rewritten: where the tools belong is not known any more.
  if (!text.startsWith(said)) return [...parts.filter(({ kind }) => kind !== "words"), { kind: "words", text }];
  const more = text.slice(said.length);
  if (more === "") return parts;
  const last = parts.at(-1);
  if (last?.kind === "words") return [...parts.slice(0, -1), { kind: "words", text: last.text + more }];
  return [...parts, { kind: "words", text: more }];
}

/** What a tool that begins or ends adds. */
export function addTool(parts: readonly Part[], { data }: SocketEventPayload<"agent">, at: number): readonly Part[] {
  const { phase, toolCallId, name, isError } = data;
  const id = String(toolCallId);
  if (phase === "start") return [...endThought(parts, at), { kind: "tool", id, name: String(name), beganAt: at }];
  if (phase !== "result") return parts;
  const index = parts.findLastIndex((part) => part.kind === "tool" && part.id === id && part.ok === undefined);
  return parts.map((part, place) => (place === index ? { ...part, ok: isError !== true, endedAt: at } : part));
}
