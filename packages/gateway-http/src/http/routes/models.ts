import type { Model } from "@openclaw/protocol";
import type { RouteHandlerMethod } from "fastify";
import type { Agent } from "../../agents/agent.ts";
import type { AgentRegistry } from "../../agents/registry.ts";
import { resolveAgent } from "../../agents/resolve-agent.ts";

export interface ModelsOptions {
  agents: AgentRegistry;
  /** Unix time in seconds: when the configuration last changed. */
  created: number;
}

/** `GET /v1/models`: the default agent under both of its names, then every agent. */
export function listModels({ agents, created }: ModelsOptions): RouteHandlerMethod {
  const data = [
    toModel("openclaw", agents.default, created),
    toModel("openclaw/default", agents.default, created),
    ...agents.all.map((agent) => toModel(`openclaw/${agent.id}`, agent, created)),
  ];
  return async (_request, reply) => reply.header("cache-control", "no-store").send({ object: "list", data });
}

/** `GET /v1/models/{id}`: any name that a chat request accepts as `model`. */
export function retrieveModel({ agents, created }: ModelsOptions): RouteHandlerMethod {
  return async (request, reply) => {
    const id = (request.params as { "*": string })["*"].trim() || "openclaw";
    const model = toModel(id, resolveAgent(agents, { model: id }), created);
    return reply.header("cache-control", "no-store").send(model);
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
