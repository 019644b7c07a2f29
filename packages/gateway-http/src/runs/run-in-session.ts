import { contentOf } from "../chat/to-completion.ts";
import type { TurnMessage } from "../chat/turn.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { withAnsweredCalls } from "../sessions/answered-calls.ts";
import type { Entry, SessionSettings } from "../sessions/entry.ts";
import type { Lanes } from "../sessions/lane.ts";
import { type Placement, reconcile } from "../sessions/reconcile.ts";
import { requireRoom } from "../sessions/require-room.ts";
import { idOfSession, type SessionStore } from "../sessions/store.ts";
import { toEntries, toEntry } from "../sessions/to-entries.ts";
import type { Admission } from "./admission.ts";
import type { PullEnd } from "./pull-agent.ts";
import type { Run } from "./run.ts";
import type { RunRequest } from "./run-request.ts";
import { namingModel, requireInput, withSettings } from "./session-settings.ts";

export interface SessionContext {
  store: SessionStore;
  lanes: Lanes;
  admission: Admission;
}

/**
 * A turn of a session: finds its place in the transcript, waits for its lane, keeps what is said. What it returns is
 * kept already.
 * @param pull runs the agent on what it is to answer, as the session is set to
 */
export async function runInSession(
  run: Run,
  request: RunRequest,
  { store, lanes, admission }: SessionContext,
  pull: (talk: readonly TurnMessage[], asked: RunRequest) => Promise<PullEnd>,
): Promise<PullEnd> {
  const { session, turn, agent } = request;
  const isChat = session.isChat === true;
  let settings: SessionSettings = {};
  const findPlace = async () => {
    const transcript = await store.read(session);
    settings = transcript?.meta.settings ?? {};
    return reconcile(turn.messages, transcript, { isChat, continues: session.continues });
  };
  // Only a chat's requests can be side tasks; so only theirs are looked at before the lane.
  const early = isChat ? await findPlace() : undefined;
  const leave = await enterLane(early?.aside ? early : undefined);
  try {
    // After the lane: who waits for its session takes no place from others.
    await admission.slots.take(run);
    const { talk, asked, aside, carriesHistory } = await keepQuestion(early?.aside ? early : await findPlace());
    const end = await pullAsSet(talk);
    const aborted = "error" in end;
    const message = toAnswer(run, end);
    // What was cut short and not streamed nobody has read, and what is asked again under its key will be answered again:
    // the question is still to be answered.
    const isAskedAgain = request.hooks?.isKeyed && "error" in end && run.toFinal(end.error).retry === true;
    // But what tools did is done: the next turn is to know of it.
    const isOpen = aborted && run.steps.length === 0 && (!turn.stream || isAskedAgain);
    // Kept before the end is told: what a caller was told must still be known after a crash. Both at once: a store that
    // groups its writes keeps both or neither.
    await Promise.all([
      message &&
        keepAnswer(message, asked, aborted, { movesHead: (!aside || leave !== undefined) && !isOpen, carriesHistory }),
      beforeTold(run, request, end),
    ]);
    return end;
  } finally {
    leave?.();
  }

  async function pullAsSet(talk: readonly TurnMessage[]): Promise<PullEnd> {
    const end = await pull(withAnsweredCalls(talk), withSettings(request, settings));
    return namingModel(request, settings, end);
  }

  async function keepAnswer(
    message: TurnMessage,
    asked: string | null,
    aborted: boolean,
    { movesHead, carriesHistory }: { movesHead: boolean; carriesHistory: boolean },
  ): Promise<void> {
    const steps = toEntries(
      run.id,
      asked,
      run.steps.map((step) => ({ message: step, hidden: true })),
    );
    const answer: Entry = {
      ...toEntry(run.id, steps.at(-1)?.id ?? asked, { message }),
      ...(aborted && { aborted }),
      ...(run.usage && { usage: run.usage }),
    };
    const head = movesHead ? { head: answer.id } : {};
    // Nothing is added when somebody deleted the session meanwhile, and that is as they wished.
    await store.append(session, { agent: agent.id, entries: [...steps, answer], ...head, carriesHistory });
  }

  /**
   * A side task waits for nobody and holds nobody up. But a chat's first question looks like one: the first to come has
   * the lane, so that others wait for it.
   */
  async function enterLane(aside: Placement | undefined): Promise<(() => void) | undefined> {
    const reason = "A newer request of this session took this run's place.";
    const interrupt = () => run.abort(new GatewayError("run_aborted", reason));
    const id = idOfSession(session);
    const entry = { signal: run.signal, interrupt };
    if (!aside) return lanes.enter(id, entry);
    return aside.isFirst ? lanes.enterIfFree(id, entry) : undefined;
  }

  /** Kept before the agent starts: a crash in mid-answer must not lose what the user said. */
  async function keepQuestion(place: Placement): Promise<Placement & { asked: string | null }> {
    run.signal.throwIfAborted();
    const { fresh, parent, carriesHistory, weight } = place;
    requireInput(request, settings);
    requireRoom(weight, fresh);
    const entries = toEntries(run.id, parent, fresh);
    const asked = entries.at(-1)?.id ?? parent;
    if (entries.length === 0) return { ...place, asked };
    const kept = await store.append(session, { agent: agent.id, entries, carriesHistory });
    run.signal.throwIfAborted();
    // Between reading and writing, somebody deleted the session: it begins anew.
    return kept ? { ...place, asked } : keepQuestion(await findPlace());
  }
}

/** What is to be done before anybody is told how the run ended. */
export async function beforeTold(run: Run, { hooks }: RunRequest, end: PullEnd): Promise<void> {
  if (run.ended || !hooks) return;
  if ("error" in end) await hooks.beforeFail?.(run.toFinal(end.error));
  else await hooks.beforeEnd({ answer: run.answer, usage: run.usage, ...end });
}

/** What was said, whole or cut short, as the session keeps it; `undefined` when it was cut short before anything. */
function toAnswer({ answer, steps }: Run, end: PullEnd): TurnMessage | undefined {
  const aborted = "error" in end;
  const { text, reasoning, refusal } = answer;
  // A call that was cut short is no call: its arguments end anywhere.
  const toolCalls = aborted ? [] : answer.toolCalls;
  // What tools did is done, whether or not a word was said about it.
  if (aborted && text === "" && refusal === "" && steps.length === 0) return undefined;
  return {
    role: "assistant",
    content: contentOf({ ...answer, toolCalls }),
    ...(refusal !== "" && { refusal }),
    ...(toolCalls.length > 0 && { tool_calls: toolCalls, ...(reasoning !== "" && { reasoning_content: reasoning }) }),
    ...(toolCalls.length > 0 && !aborted && end.carry && { carry: end.carry }),
  };
}
