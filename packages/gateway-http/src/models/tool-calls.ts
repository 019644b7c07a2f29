import { randomUUID } from "node:crypto";
import type { AgentEvent } from "../chat/run-event.ts";

/** A piece of a call as providers really send it. */
export interface ForeignToolCall {
  index?: unknown;
  id?: unknown;
  function?: { name?: unknown; arguments?: unknown } | null;
}

/** The calls of one answer so far. */
export interface ToolCalls {
  /** In the order they began: a call's place here is the index that callers see. */
  toolCalls: ModelToolCall[];
  /** How many of them callers know of. The others wait for a name: their own, or that of one before them. */
  started: number;
}
interface ModelToolCall {
  /** The provider's index, or the position of the first piece when it gave none. */
  readonly key: number;
  /** The id the provider gave. It may give several calls the same. */
  given: string | undefined;
  name: string;
  /** The arguments that the first piece brought. */
  readonly first: string;
  /** The arguments that came before callers knew of the call. */
  held: string;
}

/** Adds a piece to its call. Callers are told of a call with its name, and of each in its turn. */
export function addToolCall(piece: ForeignToolCall, position: number, state: ToolCalls, events: AgentEvent[]): void {
  const given = toText(piece.id) || undefined;
  const name = toText(piece.function?.name);
  const args = toArguments(piece.function?.arguments);
  const key = toKey(piece.index);
  let call = findCall(state.toolCalls, { key, position, given, name, args });
  if (!call) {
    // Some servers pad their chunks: what says nothing begins nothing.
    if (given === undefined && name === "" && args === "") return;
    call = { key: key ?? position, given, name, first: args, held: "" };
    state.toolCalls.push(call);
  }
  call.given ??= given;
  call.name ||= name;
  const index = state.toolCalls.indexOf(call);
  if (index >= state.started) {
    call.held += args;
    startCalls(state, events);
  } else if (args !== "") {
    events.push({ type: "tool-call-delta", index, arguments: args });
  }
}

function startCalls(state: ToolCalls, events: AgentEvent[]): void {
  for (let call = state.toolCalls[state.started]; call?.name; call = state.toolCalls[state.started]) {
    const { given, name, held } = call;
    const index = state.started++;
    // Results find their call by its id: of two with the same, the second needs another.
    const isOwn = given !== undefined && state.toolCalls.findIndex((other) => other.given === given) === index;
    const id = isOwn ? given : `call_${randomUUID().replaceAll("-", "").slice(0, 24)}`;
    events.push({ type: "tool-call-start", index, id, name });
    if (held !== "") events.push({ type: "tool-call-delta", index, arguments: held });
    call.held = "";
  }
}

interface Piece {
  key: number | undefined;
  position: number;
  given: string | undefined;
  name: string;
  args: string;
}

/**
 * The call that a piece belongs to, `undefined` when it begins one. Providers disagree on `index` and `id`: some leave
 * out the index, some give every parallel call index 0, some repeat the id on every piece, or make a new one for each.
 */
function findCall(calls: readonly ModelToolCall[], piece: Piece): ModelToolCall | undefined {
  const { key, position, given, name, args } = piece;
  const same =
    given !== undefined && calls.findLast((call) => call.given === given && (key === undefined || call.key === key));
  const call = same || calls.findLast((other) => other.key === (key ?? position));
  if (!call || name === "") return call;
  // What has a name of its own is not renamed, nor is it given another id with a name.
  if (call.name !== "" && call.name !== name) return undefined;
  if (given !== undefined) return same || (call.name === "" && call.given === undefined) ? call : undefined;
  // The name again and no id: a piece like the others, unless that call was whole from the start.
  return call.name !== "" && args !== "" && isWhole(call.first) ? undefined : call;
}

function isWhole(args: string): boolean {
  if (!args.endsWith("}")) return false;
  try {
    JSON.parse(args);
    return true;
  } catch {
    return false;
  }
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Some servers write the index as a string. */
function toKey(index: unknown): number | undefined {
  if (typeof index === "string" && /^\d+$/.test(index)) return Number(index);
  return typeof index === "number" ? index : undefined;
}

/** JSON text; some servers give the object itself. */
function toArguments(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : "";
}
