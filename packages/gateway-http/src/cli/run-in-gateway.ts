import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { SocketParams } from "@openclaw/protocol/socket";
import type { Config } from "../config/schema.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import { type AnsweredTurn, type AskedTurn, sessionOf } from "./asked-turn.ts";
import { awaitRun } from "./await-run.ts";
import { deleteSession, endRun, toClause } from "./clear-up.ts";
import type { ConnectedGateway } from "./connect-gateway.ts";
import { type Ending, toFailure } from "./run-ending.ts";
import { SaidText } from "./said-text.ts";
import { ConnectionLostError } from "./socket-errors.ts";
import { toAgentId } from "./to-agent-id.ts";

export interface GatewayRunOptions {
  /** Those of the config, for their aliases: the gateway's door knows ids only. */
  agents: Config["agents"]["list"];
  /** Milliseconds that one attempt to come back may take. */
  attemptMs: number;
  /** Milliseconds before each attempt. Once all were made and the run was not found, it is given up. */
  delaysMs: readonly number[];
  /** Milliseconds that the gateway has to end the run, or to clear up after it. */
  clearMs: number;
}

/**
 * Runs a turn in a running gateway, over its socket. A connection that is lost is made anew, and the run taken up again.
 *
 * @throws RefusedError when it was not begun; Error when the connection does not come back
 */
export async function runInGateway(
  gateway: ConnectedGateway,
  asked: AskedTurn,
  { agents, attemptMs, delaysMs, clearMs }: GatewayRunOptions,
): Promise<AnsweredTurn> {
  const { stop, onNotice } = asked;
  let { client } = gateway;
  const { bootId, defaultAgentId } = client;
  const named = asked.agent === undefined ? undefined : toAgentId(asked.agent, agents);
  const agentId = asked.session?.agentId ?? named ?? defaultAgentId;
  const { key: sessionKey, stateless } = sessionOf(asked.session, agentId);
  const runId = randomUUID();
  const said = new SaidText(asked.onText);
  const remains = { sessionKey, runId, clearMs };
  let attempts = [...delaysMs];
  let hasBegun = false;
  let isOutOfReach = false;
  const params: SocketParams<"agent"> = {
    message: asked.text,
    idempotencyKey: runId,
    sessionKey,
    ...(named !== undefined && { agentId: named }),
    ...(asked.model !== undefined && { model: asked.model }),
  };

  const watcher = {
    onChat: (chat: Parameters<SaidText["take"]>[0]) => said.take(chat),
    onTaken(status: "accepted" | "in_flight") {
      hasBegun = true;
      if (status === "in_flight") attempts = [...delaysMs];
    },
  };

  async function comeBack(): Promise<void> {
    for (let ms = attempts.shift(); ms !== undefined; ms = attempts.shift()) {
      await delay(ms, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      const late = AbortSignal.timeout(attemptMs);
      const next = await gateway.again(AbortSignal.any([late, stop])).catch(() => undefined);
      if (!next) continue;
      client = next;
      if (bootId !== undefined && next.bootId === bootId) return;
      // What is there now knows nothing of the run, and would begin it anew.
      await close();
      throw failed(`The gateway at ${gateway.url} was started anew during the run.`);
    }
    if (!stop.aborted) throw failed(mayGoOn(`The gateway at ${gateway.url} was lost, and does not come back`));
  }

  /** Once, for a signal that came while the connection was away, or that the gateway did not follow. */
  async function endFromAnew(): Promise<void> {
    client.end();
    try {
      client = await gateway.again(AbortSignal.timeout(clearMs));
      await endRun(client, remains);
    } catch {
      isOutOfReach = true;
      onNotice(mayGoOn(`The gateway at ${gateway.url} does not say that the run has ended`));
    }
  }

  function mayGoOn(what: string): string {
    return `${what}: the run may go on there, in session ${sessionKey}.`;
  }

  /** An error on a line of its own. */
  function failed(message: string): Error {
    if (said.text !== "") asked.onText?.("\n");
    return new Error(message);
  }

  async function askUntilAnswered(): Promise<Ending> {
    while (!stop.aborted) {
      try {
        return await awaitRun(client, params, watcher);
      } catch (error) {
        const failure = toFailure(error);
        if (failure) return failure;
        if (error instanceof ConnectionLostError) {
          if (!stop.aborted) await comeBack();
        } else if (hasBegun) throw failed(mayGoOn(toClause((error as Error).message)));
        else throw error;
      }
    }
    await endFromAnew();
    return { usage: undefined, error: stop.reason as GatewayError };
  }

  let clearing: NodeJS.Timeout | undefined;
  const abort = () => {
    const told = client;
    clearing = setTimeout(() => told.end(), clearMs);
    told.request("chat.abort", { sessionKey, runId }).catch(() => {});
  };

  async function close(): Promise<void> {
    const why = stateless && !isOutOfReach ? await deleteSession(client, remains) : undefined;
    if (why !== undefined) onNotice(`The session ${sessionKey} stays in the gateway: ${why}.`);
    client.end();
  }

  stop.addEventListener("abort", abort, { once: true });
  try {
    const { text, usage, error } = await askUntilAnswered();
    if (text !== undefined) said.isAll(text);
    return {
      ...{ runId, agentId, sessionKey, usage, close },
      text: said.text,
      error: error && stop.aborted ? (stop.reason as GatewayError) : error,
    };
  } catch (error) {
    client.end();
    throw error;
  } finally {
    clearTimeout(clearing);
    stop.removeEventListener("abort", abort);
  }
}
