import type { SessionBranch, SessionMessage } from "@openclaw/protocol";
import type { RouteHandlerMethod } from "fastify";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Entry } from "../../sessions/entry.ts";
import type { Node, Transcript } from "../../sessions/transcript.ts";
import { cutPage, readPageQuery, readParameter } from "../list-page.ts";
import { answer, noSuchSession, refOf, type SessionsOptions, toSeconds } from "./sessions-shared.ts";

/** `GET …/messages`: from the first message to `leaf`, the head when none is named; the agent's own steps too. */
export function listMessages({ sessions }: SessionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const page = readPageQuery(request.query, "asc");
    const leaf = readParameter(request.query, "leaf");
    const transcript = await sessions.read(refOf(request));
    if (!transcript) throw noSuchSession();
    if (leaf !== undefined && !transcript.get(leaf)) {
      throw new GatewayError("not_found", "leaf: this session has no such message.", { param: "leaf" });
    }
    return answer(reply, cutPage(transcript.path(leaf ?? transcript.head?.entry.id), page, toSessionMessage));
  };
}

/** `GET …/branches`: the last message of each, newest first. */
export function listBranches({ sessions }: SessionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const page = readPageQuery(request.query, "desc");
    const transcript = await sessions.read(refOf(request));
    if (!transcript) throw noSuchSession();
    const leaves = transcript.visible
      .filter(({ visibleChildren }) => visibleChildren.length === 0)
      .map((node) => ({ id: node.entry.id, node }));
    return answer(
      reply,
      cutPage(leaves, page, ({ node }) => toBranch(node, transcript)),
    );
  };
}

function toSessionMessage({ id, parent, message, runId, at, hidden, aborted, usage }: Entry): SessionMessage {
  const calls = message.role === "assistant" ? message.tool_calls : undefined;
  return {
    id,
    parent,
    role: message.role,
    content: message.content ?? null,
    ...(calls?.length && { tool_calls: calls as NonNullable<SessionMessage["tool_calls"]> }),
    ...(message.role === "assistant" && message.refusal && { refusal: message.refusal }),
    ...(message.role === "tool" && { tool_call_id: message.tool_call_id }),
    hidden: hidden === true,
    run_id: runId,
    created_at: toSeconds(at),
    ...(usage && { usage }),
    ...(aborted && { aborted }),
  };
}

function toBranch(leaf: Node, { head }: Transcript): SessionBranch {
  let messages = 0;
  let isHead = false;
  for (let node: Node | null = leaf; node; node = node.visibleParent) {
    messages++;
    isHead ||= node === head;
  }
  const { id, at } = leaf.entry;
  return { object: "session.branch", id, messages, updated_at: toSeconds(at), is_head: isHead };
}
