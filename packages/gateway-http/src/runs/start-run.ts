import { randomUUID } from "node:crypto";
import type { TurnMessage } from "../chat/turn.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { toGatewayError } from "../errors/to-gateway-error.ts";
import type { Lanes } from "../sessions/lane.ts";
import { selectNew, withAnsweredCalls, withoutUnanswered } from "../sessions/select-new.ts";
import type { SessionStore, StoredMessage } from "../sessions/store.ts";
import { type PullEnd, pullAgent } from "./pull-agent.ts";
import { Run } from "./run.ts";
import type { RunRequest } from "./run-request.ts";

export interface RunContext {
  store: SessionStore;
  lanes: Lanes;
}

/**
 * Runs an agent on what a caller said: the one way from every door (HTTP, command line, embedding) to every agent.
 * Returns at once; what happens next, refusals too, comes as events to those who subscribe in the same tick.
 */
export function startRun(request: RunRequest, context: RunContext): Run {
  const id = `chatcmpl-${randomUUID().replaceAll("-", "")}`;
  // Whoever reads along has the text; only a session or a whole answer needs it again at the end.
  const keepsText = !(request.turn.stream && request.session.stateless);
  const run = new Run(id, Math.floor(Date.now() / 1000), keepsText);
  queueMicrotask(async () => {
    try {
      if (request.session.stateless) await runStateless(run, request);
      else await runInSession(run, request, context);
    } catch (error) {
      run.fail(toGatewayError(error));
    }
  });
  return run;
}

/** Pulls the agent within its deadline, which begins here: waiting for a lane is not the agent's time. */
async function pullInTime(run: Run, request: RunRequest, talk: readonly TurnMessage[]): Promise<PullEnd> {
  const { timeoutMs } = request.agent;
  const late = () => run.abort(new GatewayError("run_timeout", `The run took longer than ${timeoutMs / 1000} s.`));
  const deadline = setTimeout(late, timeoutMs);
  const end = await pullAgent(run, request, talk);
  clearTimeout(deadline);
  return end;
}

async function runStateless(run: Run, request: RunRequest): Promise<void> {
  const end = await pullInTime(run, request, request.turn.messages);
  if ("error" in end) run.fail(end.error);
  else run.end(end.finishReason);
}

/** A turn of a session: waits for its lane, reads the talk, keeps what is said. */
async function runInSession(run: Run, request: RunRequest, { store, lanes }: RunContext): Promise<void> {
  const { session, turn } = request;
  const stored = (message: TurnMessage): StoredMessage => ({ message, runId: run.id, at: Date.now() });
  const leave = await lanes.enter(JSON.stringify([session.owner, session.key]), {
    signal: run.signal,
    interrupt: () =>
      run.abort(new GatewayError("run_aborted", "A newer request of this session took this run's place.")),
  });
  try {
    const past = withoutUnanswered(await store.read(session));
    const history = past.map(({ message }) => message as TurnMessage);
    const fresh = selectNew(turn.messages, history);
    // Kept before the agent starts: a crash in mid-answer must not lose what the user said.
    await store.append(session, fresh.map(stored));
    const end = await pullInTime(run, request, withAnsweredCalls([...history, ...fresh]));
    const answer = toMessage(run, "error" in end);
    // Kept before the end is told: what a caller was told must still be known after a crash.
    if (answer) await store.append(session, [{ ...stored(answer), ...("error" in end && { aborted: true }) }]);
    if ("error" in end) run.fail(end.error);
    else run.end(end.finishReason);
  } finally {
    leave();
  }
}

/** What was said, whole or cut short, as the session keeps it; `undefined` when nothing was. */
function toMessage({ answer: { text, toolCalls: calls } }: Run, aborted: boolean): TurnMessage | undefined {
  // A call that was cut short is no call: its arguments end anywhere.
  const toolCalls = aborted ? [] : calls;
  if (text === "" && toolCalls.length === 0) return undefined;
  return {
    role: "assistant",
    content: text === "" ? null : text,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  };
}
