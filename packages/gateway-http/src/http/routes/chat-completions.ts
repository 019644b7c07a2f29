import { randomUUID } from "node:crypto";
import { HEADERS } from "@openclaw/protocol";
import type { RouteHandlerMethod } from "fastify";
import type { AgentRegistry } from "../../agents/registry.ts";
import { resolveAgent } from "../../agents/resolve-agent.ts";
import { parseChatRequest } from "../../chat/parse-request.ts";
import { toTurn } from "../../chat/to-turn.ts";
import type { Runs } from "../../runs/runs.ts";
import { encodeSessionKey, readSessionKeyHeader, resolveSession } from "../../sessions/session-key.ts";
import { answerJson } from "../answer-json.ts";
import { answerStream } from "../answer-stream.ts";
import { callerOf } from "../caller.ts";
import { findHeader, readChannel, refuseRepeatedHeaders, refuseResume } from "../request-headers.ts";

export interface ChatCompletionsOptions {
  agents: AgentRegistry;
  runs: Runs;
  /** `sessions.clientHeaders`. */
  clientHeaders: readonly string[];
  /** `sessions.fromUser`. */
  fromUser: boolean;
  keepAliveMs: number;
  commitAfterMs: number;
  slowClientMs: number;
}

/** `POST /v1/chat/completions`: the road of a request, step by step. */
export function chatCompletions(options: ChatCompletionsOptions): RouteHandlerMethod {
  const { agents, runs, clientHeaders, fromUser } = options;

  return async (request, reply) => {
    const { headers } = request;
    // What was said
    refuseRepeatedHeaders(request.raw);
    const channel = readChannel(headers);
    const body = parseChatRequest(request.body);
    // To whom
    const named = { model: body.model, header: findHeader(headers, [HEADERS.agentId, HEADERS.agent]) };
    // An unknown agent is told before anything is said about the session.
    resolveAgent(agents, named);
    const chosen = readSessionKeyHeader(headers[HEADERS.sessionKey] as string | undefined);
    const agent = resolveAgent(agents, { ...named, sessionAgentId: chosen?.agentId });
    // Where
    const chatId = findHeader(headers, clientHeaders);
    const isSideTask = findHeader(headers, [HEADERS.task]) !== undefined;
    const session = resolveSession({
      agentId: agent.id,
      chosen,
      chatId: chatId && { header: chatId.name, value: chatId.value },
      user: fromUser ? (body.user ?? undefined) : undefined,
      isSideTask,
      createId: randomUUID,
    });
    refuseResume(headers);
    // Run
    const run = runs.start({
      agent,
      turn: toTurn(body),
      session: { owner: callerOf(request).owner, ...session },
      channel,
      model: findHeader(headers, [HEADERS.model])?.value,
    });
    // Say
    reply.headers({ [HEADERS.runId]: run.id, [HEADERS.sessionKey]: encodeSessionKey(session.key) });
    const model = body.model || "openclaw";
    const reasoning = agent.exposeReasoning;
    if (body.stream !== true) return answerJson(reply, run, { ...options, model, reasoning });
    return answerStream(reply, run, {
      ...options,
      model,
      reasoning,
      includeUsage: body.stream_options?.include_usage === true,
      activity: headers[HEADERS.events] === "1",
    });
  };
}
