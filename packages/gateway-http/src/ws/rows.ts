import { createHash } from "node:crypto";
import type { SessionRow, SocketResult } from "@openclaw/protocol/socket";
import type { AgentRegistry } from "../agents/registry.ts";
import type { Caller } from "../auth/caller.ts";
import type { Runs } from "../runs/runs.ts";
import type { SessionSettings } from "../sessions/entry.ts";
import { idOfSession, type SessionRef } from "../sessions/store.ts";
import type { Transcript, TranscriptMeta } from "../sessions/transcript.ts";
import { defaultAgentIdOf } from "./default-agent.ts";
import { mainKeyOf } from "./session-ref.ts";

export interface RowParts {
  readonly runs: Pick<Runs, "inSession">;
  readonly agents: AgentRegistry;
}

/**
 * A session as lists and events show it.
 * @param meta `undefined` for one that nothing was said in
 * @param agentId of one that is not there
 */
export function toSessionRow(
  session: SessionRef,
  meta: TranscriptMeta | undefined,
  agentId: string,
  { runs, agents }: RowParts,
): SessionRow {
  const { key } = session;
  const { agent = agentId, title = null, settings = {} } = meta ?? {};
  // One that is about to be told of as ended is still among them.
  const active = [...runs.inSession(session)].filter(({ ended }) => !ended);
  return {
    key,
    kind: key === "global" ? "global" : "direct",
    agentId: agent,
    isMain: key === mainKeyOf(agent),
    ...(meta && { sessionId: sessionIdOf(session), createdAt: meta.createdAt }),
    updatedAt: meta?.updatedAt ?? null,
    ...(title !== null && { label: title, displayName: title }),
    ...modelOf(settings, agent, agents),
    ...(settings.thinking !== undefined && { thinkingLevel: settings.thinking }),
    hasActiveRun: active.length > 0,
    activeRunIds: active.map(({ id }) => id),
  };
}

/** How much of a talk its model last took in and gave out, in tokens; nothing where nobody reported it. */
export function tokensOf({ head }: Pick<Transcript, "head">): Partial<SessionRow> {
  let node = head;
  while (node && !node.entry.usage) node = node.parent;
  const usage = node?.entry.usage;
  if (!usage) return {};
  // Of the last call alone: the sum of a run's calls counts the talk once for each.
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage.openclaw?.last ?? usage;
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, totalTokensFresh: node === head };
}

/** The model of a session's next run, as far as is known. */
export function modelOf(
  { model }: SessionSettings,
  agentId: string,
  agents: AgentRegistry,
): Pick<SessionRow, "modelProvider" | "model" | "contextTokens"> {
  const agent = agents.byId(agentId);
  const name = model ?? agent?.model;
  const contextTokens = name === agent?.model ? agent?.contextWindow : undefined;
  return { ...(name !== undefined && splitModel(name)), ...(contextTokens !== undefined && { contextTokens }) };
}

/** What sessions are that nobody chose anything for: those of the agent that the caller is told of as the default. */
export function defaultsOf(caller: Caller, agents: AgentRegistry): SocketResult<"sessions.list">["defaults"] {
  const agentId = defaultAgentIdOf(caller, agents);
  const { modelProvider = null, model = null, contextTokens = null } = modelOf({}, agentId, agents);
  return { modelProvider, model, contextTokens };
}

/** `provider/model`, apart. What has no provider is a model. */
export function splitModel(reference: string): Pick<SessionRow, "modelProvider"> & { model: string } {
  const slash = reference.indexOf("/");
  if (slash < 1) return { model: reference };
  return { modelProvider: reference.slice(0, slash), model: reference.slice(slash + 1) };
}

/** The agent that a key in full names; the default one's for another. */
export function agentIdOf(key: string, agents: AgentRegistry): string {
  return /^agent:([^:]+):/.exec(key)?.[1] ?? agents.default.id;
}

/** A session's id, the same always: a UUID (version 8) of its owner and key, which are all that a session is. */
export function sessionIdOf({ owner, key }: SessionRef): string {
  const hex = createHash("sha256").update(idOfSession({ owner, key })).digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
