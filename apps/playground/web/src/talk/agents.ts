import type { ModelList } from "@openclaw/client";

/** An agent to choose: what the request says as `model`, and what a person reads. */
export interface AgentChoice {
  readonly model: string;
  readonly label: string;
  readonly description?: string;
}

const DEFAULT_MODEL = "openclaw";

/** The agents of `GET /v1/models`, the default one first. Its second name, `openclaw/default`, adds nothing. */
export function toAgentChoices({ data }: ModelList): readonly AgentChoice[] {
  return data
    .filter(({ id }) => id !== `${DEFAULT_MODEL}/default`)
    .map(({ id, name, description }) => ({
      model: id,
      label: id === DEFAULT_MODEL ? `${id} (default)` : name === undefined ? id : `${name} · ${id}`,
      ...(description !== undefined && { description }),
    }));
}
