import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { SocketParams } from "@openclaw/protocol/socket";
import type { Config } from "../config/schema.ts";
import type { GatewayError } from "../errors/gateway-error.ts";
import { type AnsweredTurn, type AskedTurn, sessionOf } from "./asked-turn.ts";
import type { ConnectedGateway } from "./connect-gateway.ts";
import { type Ending, toEnding, toFailure } from "./run-ending.ts";
import { SaidText } from "./said-text.ts";
import { ConnectionLostError } from "./socket-client.ts";
import { toAgentId } from "./to-agent-id.ts";

/** Milliseconds of one `agent.wait`. */
const WAIT_MS = 25_000;
/** Milliseconds between two looks at a run that waits for another one. */
const QUEUED_MS = 500;
/** Milliseconds that a gateway has to end a run, or to clear up after it. */
const CLEAR_MS = 3000;

export interface GatewayRunOptions {
  /** Those of the config, for their aliases: the gateway's door knows ids only. */
  agents: Config["agents"]["list"];
  /** Milliseconds that one attempt to come back may take. */
  attemptMs: number;
  /** Milliseconds before each attempt. Once all were made and nothing was heard of the run, it is given up. */
  delaysMs: readonly number[];
}

/**
 * Runs a turn in a running gateway, over its socket. A connection that is lost is made anew, and the run taken up again.
 *
 * @throws RefusedError when it was not begun; Error when the connection does not come back
 */
export async function runInGateway(
  gateway: ConnectedGateway,
  asked: AskedTurn,
  { agents, attemptMs, delaysMs }: GatewayRunOptions,
): Promise<AnsweredTurn> {
  const { stop, onNotice } = asked;
  let { client } = gateway;
  const { bootId, defaultAgentId } = client;
  const named = asked.agent === undefined ? undefined : toAgentId(asked.agent, agents);
  const agentId = asked.session?.agentId ?? named ?? defaultAgentId;
  const { key: sessionKey, stateless } = sessionOf(asked.session, agentId);
  const runId = randomUUID();
  const said = new SaidText(asked.onText ?? (() => {}));
  let attempts = [...delaysMs];
  const params: SocketParams<"agent"> = {
    message: asked.text,
    idempotencyKey: runId,
    sessionKey,
    ...(named !== undefined && { agentId: named }),
    ...(asked.model !== undefined && { model: asked.model }),
  };

  /** The same again asks for the same run: it is begun once. */
  async function ask(): Promise<Ending> {
    client.onChat = (chat) => {
      if (chat.runId !== runId) return;
      said.take(chat);
      attempts = [...delaysMs];
    };
    for (;;) {
      const end = await client.request("agent", params, ({ status }) => status !== "accepted");
      if (end.status !== "in_flight") return toEnding(end);
      const { status } = await client.request("agent.wait", { runId, timeoutMs: WAIT_MS });
      if (status === "pending") await delay(QUEUED_MS);
    }
  }

  async function comeBack(): Promise<void> {
    for (let ms = attempts.shift(); ms !== undefined; ms = attempts.shift()) {
      await delay(ms, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      const late = AbortSignal.timeout(attemptMs);
      const next = await gateway.again(AbortSignal.any([late, stop])).catch(() => undefined);
      if (!next) continue;
      client = next;
      // What is there now knows nothing of the run, and would begin it anew.
      if (bootId === undefined || next.bootId !== bootId) throw lost("was started anew", false);
      return;
    }
    throw lost("was lost, and does not come back", true);
  }

  function lost(what: string, mayGoOn: boolean): Error {
    if (said.text !== "") asked.onText?.("\n");
    const rest = mayGoOn ? `: the run may go on there, in session ${sessionKey}` : " during the run";
    return new Error(`The gateway at ${gateway.url} ${what}${rest}.`);
  }

  async function askUntilAnswered(): Promise<Ending> {
    while (!stop.aborted) {
      try {
        return await ask();
      } catch (error) {
        const failure = toFailure(error);
        if (failure) return failure;
        if (!(error instanceof ConnectionLostError)) throw error;
        if (!stop.aborted) await comeBack();
        if (stop.aborted) onNotice(`The gateway at ${gateway.url} does not say that the run has ended.`);
      }
    }
    return { usage: undefined, error: stop.reason as GatewayError };
  }

  let clearing: NodeJS.Timeout | undefined;
  const abort = () => {
    clearing = setTimeout(() => client.end(), CLEAR_MS);
    client.request("chat.abort", { sessionKey, runId }).catch(() => {});
  };

  async function close(): Promise<void> {
    if (stateless) {
      const late = setTimeout(() => client.end(), CLEAR_MS);
      await client.request("sessions.delete", { key: sessionKey }).catch((error: Error) => {
        if (!stop.aborted)
          onNotice(`The session ${sessionKey} stays in the gateway: ${error.message || "the connection was lost"}.`);
      });
      clearTimeout(late);
    }
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
