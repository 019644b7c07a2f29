import { createAgentRegistry } from "../agents/registry.ts";
import { resolveAgent } from "../agents/resolve-agent.ts";
import { LOCAL, OPERATOR } from "../auth/caller.ts";
import type { LoadedConfig } from "../config/load.ts";
import { StateLockedError } from "../errors/state-locked-error.ts";
import { createGateway } from "../gateway.ts";
import { type AnsweredTurn, type AskedTurn, sessionOf } from "./asked-turn.ts";

/** Runs a turn in this process, on the road of a request. */
export async function runInProcess(loaded: LoadedConfig, asked: AskedTurn): Promise<AnsweredTurn> {
  const { text, model, onText, onNotice, stop } = asked;
  let gateway = createGateway({ config: loaded });
  const agent = resolveAgent(createAgentRegistry(gateway.agents), {
    header: asked.agent ? { name: "--agent", value: asked.agent } : undefined,
    sessionAgentId: asked.session?.agentId,
  });
  const session = sessionOf(asked.session, agent.id);
  if (!session.stateless) {
    try {
      await gateway.open();
    } catch (error) {
      if (!(error instanceof StateLockedError)) throw error;
      onNotice(`${loaded.env.stateDir} is in use by a running gateway: this session ends with the command.`);
      loaded.config.sessions.store.kind = "memory";
      gateway = createGateway({ config: loaded });
    }
  }
  const run = gateway.runs.start({
    agent,
    turn: {
      messages: [{ role: "user", content: text }],
      instructions: [],
      params: {},
      stream: onText !== undefined,
    },
    session: { owner: (loaded.config.gateway.auth.mode === "none" ? LOCAL : OPERATOR).owner, ...session },
    model,
  });
  run.subscribe((events) => {
    for (const event of events) {
      if (event.type === "text-delta" || event.type === "refusal-delta") onText?.(event.text);
    }
    return undefined;
  });
  const abort = () => run.abort(stop.reason);
  if (stop.aborted) abort();
  stop.addEventListener("abort", abort);
  const { answer, usage, error } = await run.result;
  return {
    runId: run.id,
    agentId: agent.id,
    sessionKey: session.key,
    text: answer.text || answer.refusal,
    usage,
    error,
    // Nothing is left to wait for but a server that does not want to end.
    close: () => gateway.close({ drainTimeoutMs: 0 }),
  };
}
