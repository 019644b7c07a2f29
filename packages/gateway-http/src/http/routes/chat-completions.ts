import { randomUUID } from "node:crypto";
import { HEADERS } from "@openclaw/protocol";
import type { FastifyRequest, RouteHandlerMethod } from "fastify";
import { findNamedAgent, resolveAgent } from "../../agents/resolve-agent.ts";
import { requireAgent, requireScope } from "../../auth/permissions.ts";
import { parseChatRequest } from "../../chat/parse-request.ts";
import { toTurn } from "../../chat/to-turn.ts";
import type { CompletionStore } from "../../completions/store.ts";
import { type TakenIn, takeIn } from "../../media/take-in.ts";
import { readTraceContext } from "../../observe/traces.ts";
import type { Journal } from "../../runs/journal.ts";
import type { Runs } from "../../runs/runs.ts";
import { readSessionKeyHeader, resolveSession } from "../../sessions/session-key.ts";
import type { OpenStreams } from "../../sse/sse-writer.ts";
import { answer } from "../answer.ts";
import { answerUnderKey } from "../answer-under-key.ts";
import type { Asked } from "../asked.ts";
import { callerOf } from "../caller.ts";
import { fetchImages } from "../fetch-images.ts";
import { fingerprintOf } from "../fingerprint.ts";
import { findHeader, readChannel, readIdempotency, refuseRepeatedHeaders } from "../request-headers.ts";
import type { CurrentSettings, Settings } from "../settings.ts";
import { recheckCaller } from "../still-admitted.ts";

export interface ChatCompletionsOptions {
  current: CurrentSettings;
  runs: Runs;
  journal: Journal;
  completions: CompletionStore;
  streams: OpenStreams;
}

/** `POST /v1/chat/completions`: the road of a request, step by step. */
export function chatCompletions({ current, ...parts }: ChatCompletionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const settings = current();
    const { http } = settings.config.gateway;
    const options = { ...parts, ...http };
    const { asked: read, taken } = readAsked(request, settings, current);
    const { key, lastEvent } = readIdempotency(request.headers);
    const isKeyed = key !== undefined;
    // Whoever goes on with an answer starts nothing, so nothing is fetched.
    const fetches = taken.remote.length > 0 && lastEvent === undefined;
    const { images } = http.endpoints.chatCompletions;
    const asked = fetches ? await fetchImages(reply.raw, read, taken, { images, isKeyed }) : read;
    if (key === undefined) return answer(reply, asked, options);
    const fingerprint = fingerprintOf(request.body, request.headers, settings.config.sessions.clientHeaders);
    return answerUnderKey(reply, asked, { ...options, key, lastEvent, fingerprint });
  };
}

/** What was said, to whom, and where. */
function readAsked(
  request: FastifyRequest,
  { agents, config }: Settings,
  current: CurrentSettings,
): { asked: Asked; taken: TakenIn } {
  const { headers } = request;
  const { clientHeaders, fromUser } = config.sessions;
  const caller = callerOf(request);
  // What was said
  refuseRepeatedHeaders(request.raw);
  const channel = readChannel(headers);
  const body = parseChatRequest(request.body);
  // To whom
  const named = { model: body.model, header: findHeader(headers, [HEADERS.agentId, HEADERS.agent]) };
  // An agent that is not there, or not for this caller, is told before anything is said about the session.
  const target = findNamedAgent(agents, named);
  const param = named.header?.name ?? "model";
  if (target) requireAgent(caller, target.id, param);
  const chosen = readSessionKeyHeader(headers[HEADERS.sessionKey] as string | undefined);
  const agent = resolveAgent(agents, { ...named, sessionAgentId: chosen?.agentId });
  requireAgent(caller, agent.id, param);
  const model = findHeader(headers, [HEADERS.model])?.value;
  if (model !== undefined) requireScope(caller, "override-model", HEADERS.model);
  const input = (model && agent.inputOf?.(model)) || agent.input;
  const taken = takeIn(body.messages, { id: agent.id, input }, config.gateway.http.endpoints.chatCompletions.images);
  // Where
  const chatId = findHeader(headers, clientHeaders);
  const session = resolveSession({
    agentId: agent.id,
    chosen,
    chatId: chatId && { header: chatId.name, value: chatId.value },
    user: fromUser ? (body.user ?? undefined) : undefined,
    isSideTask: findHeader(headers, [HEADERS.task]) !== undefined,
    createId: randomUUID,
  });
  const asked: Asked = {
    body,
    requestId: request.id,
    recheck() {
      const again = recheckCaller(request, current());
      requireAgent(again, agent.id, param);
      if (model !== undefined) requireScope(again, "override-model", HEADERS.model);
      return again.limits;
    },
    run: {
      agent,
      turn: toTurn(body, taken.messages),
      session: { owner: caller.owner, ...session },
      limits: caller.limits,
      channel,
      model,
      trace: readTraceContext(headers),
    },
    frames: {
      model: body.model || "openclaw",
      reasoning: agent.exposeReasoning,
      includeUsage: body.stream_options?.include_usage === true,
      activity: headers[HEADERS.events] === "1",
    },
  };
  return { asked, taken };
}
