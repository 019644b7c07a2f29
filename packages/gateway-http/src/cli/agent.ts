import { randomUUID } from "node:crypto";
import { createAgentRegistry } from "../agents/registry.ts";
import { resolveAgent } from "../agents/resolve-agent.ts";
import { LOCAL, OPERATOR } from "../auth/caller.ts";
import type { Environment } from "../config/env.ts";
import { loadConfig } from "../config/load.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { StateLockedError } from "../errors/state-locked-error.ts";
import { createGateway } from "../gateway.ts";
import type { RunResult } from "../runs/run.ts";
import { readSessionKeyHeader, resolveSession } from "../sessions/session-key.ts";
import { applyOptions } from "./apply-options.ts";
import { type Options, UsageError } from "./options.ts";
import { onStopSignal } from "./stop-signals.ts";

/**
 * `openclaw-gateway agent`: one turn through the same run path as a request, to the terminal. A signal stops it, and
 * what it started.
 */
export async function runAgent(options: Options, env: Environment): Promise<number> {
  const text = options.message;
  if (!text?.trim()) throw new UsageError("agent needs a message: -m TEXT");
  const loaded = applyOptions(await loadConfig({ path: options.config, env }), options);
  // The terminal is for the answer; its error is printed below.
  loaded.config.logging.level = options.verbose ? "debug" : "error";
  let gateway = createGateway({ config: loaded });
  const chosen = options["session-key"] ? readSessionKeyHeader(encodeURIComponent(options["session-key"])) : undefined;
  const agent = resolveAgent(createAgentRegistry(gateway.agents), {
    header: options.agent ? { name: "--agent", value: options.agent } : undefined,
    sessionAgentId: chosen?.agentId,
  });
  const session = resolveSession({
    agentId: agent.id,
    chosen,
    chatId: undefined,
    user: undefined,
    isSideTask: false,
    createId: randomUUID,
  });
  if (!session.stateless) {
    try {
      await gateway.open();
    } catch (error) {
      if (!(error instanceof StateLockedError)) throw error;
      process.stderr.write(`${env.stateDir} is in use by a running gateway: this session ends with the command.\n`);
      loaded.config.sessions.store.kind = "memory";
      gateway = createGateway({ config: loaded });
    }
  }

  const stopped = onStopSignal();
  const run = gateway.runs.start({
    agent,
    turn: { messages: [{ role: "user", content: text }], instructions: [], params: {}, stream: options.json !== true },
    session: { owner: (loaded.config.gateway.auth.mode === "none" ? LOCAL : OPERATOR).owner, ...session },
    model: options.model,
  });
  run.subscribe((events) => {
    if (options.json) return undefined;
    for (const event of events) if (event.type === "text-delta") process.stdout.write(event.text);
    return undefined;
  });
  let signalCode: number | undefined;
  void stopped.then((exitCode) => {
    signalCode = exitCode;
    run.abort(new GatewayError("run_aborted", "The run was stopped by a signal."));
  });
  const result = await run.result;
  if (options.json) process.stdout.write(`${JSON.stringify(toJson(run.id, agent.id, session.key, result))}\n`);
  else process.stdout.write("\n");
  // Nothing is left to wait for but a server that does not want to end.
  await gateway.close({ drainTimeoutMs: 0 });
  if (signalCode !== undefined) return signalCode;
  if (!result.error) return 0;
  if (!options.json) process.stderr.write(`${result.error.message}\n`);
  return 1;
}

/** OpenClaw's own shape of `openclaw agent --json`. */
function toJson(runId: string, agentId: string, sessionKey: string, { answer, usage, error }: RunResult): object {
  return {
    runId,
    status: error ? "error" : "ok",
    summary: error ? error.message : "completed",
    result: {
      payloads: answer.text === "" ? [] : [{ text: answer.text, mediaUrl: null }],
      meta: { agentId, sessionKey, ...(usage && { usage }), ...(error && { error: error.toBody().error }) },
    },
  };
}
