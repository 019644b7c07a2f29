import type { Session } from "@openclaw/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { Runs } from "../../runs/runs.ts";
import type { SessionInfo, SessionRef, SessionStore } from "../../sessions/store.ts";
import { callerOf } from "../caller.ts";

export interface SessionsOptions {
  sessions: SessionStore;
  runs: Runs;
}

/** The session that a path names: of the caller's own, so another's is not there. */
export function refOf(request: FastifyRequest): SessionRef {
  const { key, "*": rest } = request.params as { key?: string; "*"?: string };
  return { owner: callerOf(request).owner, key: key ?? rest ?? "" };
}

/** The session as it is now. */
export async function retrieve({ sessions, runs }: SessionsOptions, ref: SessionRef): Promise<Session> {
  const info = await sessions.find(ref);
  if (!info) throw noSuchSession();
  return toSession(info, runs.findInSession(ref)?.id);
}

export function toSession(info: SessionInfo, activeRun: string | undefined): Session {
  return {
    object: "session",
    id: info.key,
    agent: info.agent,
    title: info.title,
    created_at: toSeconds(info.createdAt),
    updated_at: toSeconds(info.updatedAt),
    head: info.head,
    branches: info.branches,
    messages: info.messages,
    active_run: activeRun ?? null,
  };
}

export function toSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}

export function noSuchSession(): GatewayError {
  return new GatewayError("not_found", "There is no session of this key.", { param: "key" });
}

export function answer(reply: FastifyReply, body: object): FastifyReply {
  return reply.header("cache-control", "no-store").send(body);
}
