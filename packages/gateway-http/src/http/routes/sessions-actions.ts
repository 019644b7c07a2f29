import { randomUUID } from "node:crypto";
import type { RouteHandlerMethod } from "fastify";
import { z } from "zod";
import { GatewayError } from "../../errors/gateway-error.ts";
import { parseSessionKey, toSessionKey } from "../../sessions/session-key.ts";
import type { Transcript } from "../../sessions/transcript.ts";
import { parseBody } from "../parse-body.ts";
import { answer, noSuchSession, refOf, retrieve, type SessionsOptions } from "./sessions-shared.ts";

/** The body of `POST …/head`. */
export const headSchema = z.object({ id: z.string() });
/** The body of `POST …/fork`. */
export const forkSchema = z.object({ at: z.string().nullish(), key: z.string().nullish() });
const abortSchema = z.object({});

/** `POST …/head`: who sends only what is new continues at this message from now on. */
export function moveHead(options: SessionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const { id } = parseBody(headSchema, request.body);
    const ref = refOf(request);
    const transcript = await options.sessions.read(ref);
    if (!transcript) throw noSuchSession();
    requireVisible(transcript, id, "id");
    const { agent } = transcript.meta;
    // The answer of a run would move the head away again.
    const moved = await options.runs.between(ref, () => options.sessions.append(ref, { agent, entries: [], head: id }));
    if (!moved) throw noSuchSession();
    return answer(reply, await retrieve(options, ref));
  };
}

/** `POST …/fork`: a new session with the talk up to a message, `at`, which is the head when none is named. */
export function forkSession(options: SessionsOptions): RouteHandlerMethod {
  const { sessions, runs } = options;
  return async (request, reply) => {
    const { at, key: chosen } = parseBody(forkSchema, request.body === undefined ? {} : request.body);
    const ref = refOf(request);
    const transcript = await sessions.read(ref);
    if (!transcript) throw noSuchSession();
    const { agent, title, settings } = transcript.meta;
    const target = { owner: ref.owner, key: toForkKey(chosen, agent) };
    const head = at ?? transcript.head?.entry.id;
    if (head === undefined) {
      throw new GatewayError("invalid_value", "at: is needed while the session has no head.", { param: "at" });
    }
    requireVisible(transcript, head, "at");
    // The ids stay: they are unique in their session, and a client finds a message again in the copy.
    const entries = transcript.path(head);
    const { carriesHistory } = transcript;
    const isFree =
      !runs.findInSession(target) &&
      (await sessions.append(target, { agent, entries, head, carriesHistory, begins: { title, settings } }));
    // No 409: each of them has another meaning, and clients send what was answered with 409 again.
    if (!isFree) throw new GatewayError("invalid_value", "key: there is a session of this key.", { param: "key" });
    return answer(reply.code(201), await retrieve(options, target));
  };
}

/** `POST …/abort`: ends the run under way; its caller is told so. */
export function abortRun({ sessions, runs }: SessionsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    if (request.body !== undefined) parseBody(abortSchema, request.body);
    const ref = refOf(request);
    const run = runs.findInSession(ref);
    // The first run of a session may be under way before the session is there.
    if (!run && !(await sessions.find(ref))) throw noSuchSession();
    // A run whose answer is being kept has as good as ended.
    const aborted = run?.abortable ? run.id : null;
    run?.abort(new GatewayError("run_aborted", "The run was ended by POST /v1/sessions/{key}/abort."));
    return answer(reply, { aborted });
  };
}

function toForkKey(chosen: string | null | undefined, agent: string): string {
  if (chosen == null) return `agent:${agent}:fork:${randomUUID()}`;
  const key = parseSessionKey(chosen, "key");
  if (key.agentId !== undefined && key.agentId !== agent) {
    throw new GatewayError("invalid_session_key", "The session key belongs to another agent than the session.", {
      param: "key",
    });
  }
  return toSessionKey(key, agent, "key");
}

/** A step of the agent's own stands in the middle of an answer: no talk can go on there. */
function requireVisible(transcript: Transcript, id: string, param: string): void {
  const entry = transcript.get(id)?.entry;
  if (entry && !entry.hidden) return;
  throw new GatewayError("not_found", `${param}: this session has no such message.`, { param });
}
