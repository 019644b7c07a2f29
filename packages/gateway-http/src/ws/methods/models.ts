import type { SocketResult } from "@openclaw/protocol/socket";
import { mayUse } from "../../auth/permissions.ts";
import type { Config } from "../../config/schema.ts";
import type { Method } from "../method.ts";
import { invalid } from "../socket-error.ts";

type Choice = SocketResult<"models.list">["models"][number];

/** `models.list`: those that agents are made of, and those that the config knows of besides. */
export const modelsList: Method<"models.list"> = {
  needs: "models",
  run({ agentId }, { agents, config, connection }) {
    const id = agentId?.trim().toLowerCase();
    if (id !== undefined && !(agents.byId(id) && mayUse(connection.caller, id))) {
      throw invalid(`unknown agent id ${JSON.stringify(id.slice(0, 100))}`);
    }
    const choices = new Map<string, Choice>();
    for (const agent of agents.all) {
      if (!mayUse(connection.caller, agent.id) || agent.model === undefined) continue;
      const { contextWindow, input } = agent;
      add(choices, agent.model, { contextWindow, input: [...input] });
    }
    // Whoever may not choose a model has no use for others.
    if (connection.caller.scopes.has("override-model")) addConfigured(choices, config);
    return { models: [...choices.values()] };
  },
};

function addConfigured(choices: Map<string, Choice>, { models, agents }: Config): void {
  for (const [provider, { models: known }] of Object.entries(models.providers)) {
    for (const { id, contextWindow, input } of known) add(choices, `${provider}/${id}`, { contextWindow, input });
  }
  for (const fallback of [agents.defaults, ...agents.list].flatMap(({ fallbacks = [] }) => fallbacks)) {
    add(choices, fallback, {});
  }
}

function add(
  choices: Map<string, Choice>,
  reference: string,
  { contextWindow, input }: { contextWindow?: number | undefined; input?: readonly string[] | undefined },
): void {
  if (choices.has(reference)) return;
  const slash = reference.indexOf("/");
  // The demo, which has no provider.
  const [provider, id] = slash < 1 ? [reference, reference] : [reference.slice(0, slash), reference.slice(slash + 1)];
  choices.set(reference, {
    id,
    name: id,
    provider,
    ...(contextWindow !== undefined && { contextWindow }),
    // The protocol has another word for files.
    ...(input && { input: input.map((kind) => (kind === "file" ? "document" : kind)) }),
  });
}
