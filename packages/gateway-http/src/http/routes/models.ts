import type { Model } from "@openclaw/protocol";
import type { RouteHandlerMethod } from "fastify";
import type { Agent } from "../../agents/agent.ts";
import { resolveAgent } from "../../agents/resolve-agent.ts";
import { mayUse, requireAgent } from "../../auth/permissions.ts";
import { callerOf } from "../caller.ts";
import type { CurrentSettings } from "../settings.ts";

interface ModelsOptions {
  current: CurrentSettings;
}

/** `GET /v1/models`: the default agent under both of its names, then every agent; of those that the caller may use. */
export function listModels({ current }: ModelsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const { agents, created } = current();
    const caller = callerOf(request);
    const named = [
      { id: "openclaw", agent: agents.default },
      { id: "openclaw/default", agent: agents.default },
      ...agents.all.map((agent) => ({ id: `openclaw/${agent.id}`, agent })),
    ];
    const data = named
      .filter(({ agent }) => mayUse(caller, agent.id))
      .map(({ id, agent }) => toModel(id, agent, created));
    return reply.header("cache-control", "no-store").send({ object: "list", data });
  };
}

/** `GET /v1/models/{id}`: any name that a chat request accepts as `model`. */
export function retrieveModel({ current }: ModelsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const { agents, created } = current();
    const id = (request.params as { "*": string })["*"].trim() || "openclaw";
    const agent = resolveAgent(agents, { model: id });
    requireAgent(callerOf(request), agent.id, "model");
    return reply.header("cache-control", "no-store").send(toModel(id, agent, created));
  };
}

function toModel(id: string, { name, description, contextWindow, input }: Agent, created: number): Model {
  return {
    id,
    object: "model",
    created,
    owned_by: "openclaw",
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(contextWindow !== undefined && { context_window: contextWindow }),
    input: [...input],
  };
}
