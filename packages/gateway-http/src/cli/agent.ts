import type { Environment } from "../config/env.ts";
import { loadConfig } from "../config/load.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type ChosenKey, readSessionKeyHeader } from "../sessions/session-key.ts";
import { applyOptions } from "./apply-options.ts";
import type { AnsweredTurn, AskedTurn } from "./asked-turn.ts";
import { type ConnectedGateway, connectGateway } from "./connect-gateway.ts";
import { type Options, UsageError } from "./options.ts";
import type { Output } from "./output.ts";

/** Milliseconds to find out whether a gateway runs that knows this user. */
const CONNECT_MS = 2000;
/** Milliseconds that a gateway has to end a run, or to clear up after it. */
const CLEAR_MS = 3000;
/** Milliseconds to wait before each attempt to come back to a gateway whose connection was lost. */
const COME_BACK_MS = [100, 400, 1000, 2000];

export interface AgentCommand {
  options: Options;
  env: Environment;
  stdout: Output;
  stderr: Output;
  /** Settles with the exit code when a signal asks to stop. */
  stopped: Promise<number>;
  /** Milliseconds. @defaultValue 2000 */
  connectMs?: number;
  /** Milliseconds before each attempt to come back. @defaultValue four, in 3.5 s */
  comeBackMs?: readonly number[];
  /** Milliseconds that a gateway has to end a run, or to clear up after it. @defaultValue 3000 */
  clearMs?: number;
}

/**
 * `openclaw-gateway agent`: one turn, to the terminal. It runs in the gateway of this config, if that is there and knows
 * this user, else in this process, on the same road. A signal stops it, and what it started.
 *
 * @returns the exit code: 0; 1 when the run failed; that of the signal which stopped it
 * @throws UsageError, ConfigError; GatewayError and Error when it could not begin
 */
export async function runAgent(command: AgentCommand): Promise<number> {
  const { options, env, stdout, stderr } = command;
  const text = options.message;
  if (!text?.trim()) throw new UsageError("agent needs a message: -m TEXT");
  const loaded = applyOptions(await loadConfig({ path: options.config, env }), options);
  // The terminal is for the answer; its error is printed below.
  loaded.config.logging.level = options.verbose ? "debug" : "error";
  const stop = new AbortController();
  let signalCode: number | undefined;
  void command.stopped.then((exitCode) => {
    signalCode = exitCode;
    stop.abort(new GatewayError("run_aborted", "The run was stopped by a signal."));
  });
  const onNotice = (line: string) => void stderr.write(`${line}\n`);
  const asked: AskedTurn = {
    text,
    agent: options.agent,
    session: readSessionKey(options["session-key"]),
    model: options.model,
    onText: options.json ? undefined : (piece) => void stdout.write(piece),
    onNotice,
    stop: stop.signal,
  };

  async function findGateway(): Promise<ConnectedGateway | undefined> {
    if (options.local) return undefined;
    const late = AbortSignal.timeout(command.connectMs ?? CONNECT_MS);
    const found = await connectGateway(loaded, AbortSignal.any([late, stop.signal]));
    if ("client" in found) return found;
    if (found.message && !stop.signal.aborted) {
      onNotice(`Runs in this process, not in the gateway at ${found.url}: ${found.message}`);
    }
    return undefined;
  }

  async function run(gateway: ConnectedGateway | undefined): Promise<AnsweredTurn> {
    if (!gateway) return (await import("./run-in-process.ts")).runInProcess(loaded, asked);
    const { runInGateway } = await import("./run-in-gateway.ts");
    const attemptMs = command.connectMs ?? CONNECT_MS;
    return runInGateway(gateway, asked, {
      agents: loaded.config.agents.list,
      attemptMs,
      delaysMs: command.comeBackMs ?? COME_BACK_MS,
      clearMs: command.clearMs ?? CLEAR_MS,
    });
  }

  const gateway = await findGateway();
  if (signalCode !== undefined) {
    gateway?.client.end();
    return signalCode;
  }
  if (options.verbose) onNotice(gateway ? `Runs in the gateway at ${gateway.url}.` : "Runs in this process.");
  const answered = await run(gateway);
  stdout.write(options.json ? `${JSON.stringify(toJson(answered))}\n` : "\n");
  await answered.close();
  if (signalCode !== undefined) return signalCode;
  if (!answered.error) return 0;
  if (!options.json) onNotice(answered.error.message);
  return 1;
}

function readSessionKey(key = ""): ChosenKey | undefined {
  if (!key.isWellFormed())
    throw new UsageError("--session-key has half a character in it: it is not well-formed Unicode");
  return readSessionKeyHeader(encodeURIComponent(key));
}

/** OpenClaw's own shape of `openclaw agent --json`. */
function toJson({ runId, agentId, sessionKey, text, usage, error }: AnsweredTurn): object {
  return {
    runId,
    status: error ? "error" : "ok",
    summary: error ? error.message : "completed",
    result: {
      payloads: text === "" ? [] : [{ text, mediaUrl: null }],
      meta: { agentId, sessionKey, ...(usage && { usage }), ...(error && { error: error.toBody().error }) },
    },
  };
}
