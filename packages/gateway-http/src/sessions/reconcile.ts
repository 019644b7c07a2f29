import type { TurnMessage } from "../chat/turn.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Entry } from "./entry.ts";
import { findMatch, isToldAgain, type Match } from "./match.ts";
import { isSameMessage } from "./message-identity.ts";
import { toTalk } from "./to-talk.ts";
import { hiddenStepsBefore, type Node, type Transcript } from "./transcript.ts";

/** A message to keep, not yet in the tree. */
export interface NewMessage extends Pick<Entry, "message" | "hidden" | "alone"> {}

/** Where a request stands in its session. */
export interface Placement {
  /** What the model is to see after the instructions, oldest first. */
  talk: TurnMessage[];
  /** The entry that the first of `fresh`, or else the answer, follows; `null` to begin a branch at the root. */
  parent: string | null;
  /** What the session does not have yet, each the child of the one before. The answer is the last one's child. */
  fresh: NewMessage[];
  /** It may be a chat UI's side task, as far as can be told: it waits for nobody and does not move the head. */
  aside: boolean;
  /** Nothing is kept yet. */
  isFirst: boolean;
  /** About how many characters are kept. */
  weight: number;
  /** The caller sent history, not only what is new. */
  carriesHistory: boolean;
}

/**
 * What a request says that its session does not know, and what the model is to see. Pure.
 *
 * The model sees the request's messages as they were sent, with the agent's own steps put back before each answer they
 * led to. When only new messages were sent, the talk up to the head comes first.
 *
 * @param how.isChat whether the key is a chat's own id: then requests carry all that is to be heard
 * @param how.continues whether the caller never says again what was said: the same words are new ones
 */
export function reconcile(
  sent: readonly TurnMessage[],
  transcript: Transcript | undefined,
  how: { isChat: boolean; continues?: boolean | undefined },
): Placement {
  const { isChat } = how;
  const hasAnswers = sent.some(({ role }) => role === "assistant");
  const isFirst = !transcript?.size;
  const place = transcript && !isFirst ? findPlace(sent, transcript, how, hasAnswers) : undefined;
  const { carriesHistory = hasAnswers, ...found } = place ?? begin(sent, transcript);
  return { ...found, aside: isChat && !place, isFirst, weight: transcript?.weight ?? 0, carriesHistory };
}

type Place = Pick<Placement, "talk" | "parent" | "fresh"> & { carriesHistory?: boolean };

function findPlace(
  sent: readonly TurnMessage[],
  transcript: Transcript,
  { isChat, continues = false }: Parameters<typeof reconcile>[2],
  hasAnswers: boolean,
): Place | undefined {
  if (continues) return continueHead(sent, transcript, true);
  if (!hasAnswers && (!isChat || sent[0]?.role === "tool")) {
    // Without a head it is a new talk, whatever was said before.
    const again = transcript.carriesHistory && transcript.head ? findWholeTalk(sent, transcript) : undefined;
    return again ? carryOn(sent, again, transcript) : continueHead(sent, transcript);
  }
  const match = findMatch(sent, transcript);
  return match && carryOn(sent, match, transcript);
}

function begin(sent: readonly TurnMessage[], transcript: Transcript | undefined): Place {
  const fresh = withHiddenSteps(sent, transcript);
  return { talk: toTalk(fresh), parent: null, fresh };
}

/** The request repeats a path of the tree: what follows it is new. */
function carryOn(sent: readonly TurnMessage[], { start, nodes }: Match, transcript: Transcript): Place {
  const before = withHiddenSteps(sent.slice(0, start), transcript);
  const known = nodes.flatMap((node, index) => [
    ...hiddenStepsBefore(node),
    {
      message: withThought(sent[start + index] as TurnMessage, node.entry.message),
      ...(node.entry.aborted && { aborted: true }),
    },
  ]);
  const fresh = withHiddenSteps(sent.slice(start + nodes.length), transcript);
  const [first, last] = [nodes[0] as Node, nodes.at(-1) as Node];
  // Whoever said only what was new, and now tells this turn again (a tool's call and its result), goes on with all of it.
  const past = start === 0 && first.entry.alone ? transcript.path(first.entry.parent) : [];
  return {
    talk: toTalk([...past, ...before, ...known, ...fresh]),
    parent: last.entry.id,
    fresh,
    ...(past.length > 0 && { carriesHistory: false }),
  };
}

/** With what was thought before it: callers are not always told, and what they were told they do not always send. */
function withThought(sent: TurnMessage, kept: TurnMessage): TurnMessage {
  if (sent.role !== "assistant" || kept.role !== "assistant") return sent;
  const { reasoning_content, carry } = kept;
  return { ...sent, ...(reasoning_content && { reasoning_content }), ...(carry && { carry }) };
}

/**
 * The request says only what is new.
 * @param isNew also where it has the words of a question that no answer came to
 */
function continueHead(sent: readonly TurnMessage[], transcript: Transcript, isNew = false): Place {
  const head = sent[0]?.role === "tool" ? findCall(sent[0].tool_call_id, transcript) : transcript.head;
  const past = transcript.path(head?.entry.id);
  const siblings = head ? head.visibleChildren : transcript.visibleRoots;
  const unanswered = isNew ? undefined : findUnanswered(sent, siblings);
  return {
    talk: toTalk([...past, ...sent.map((message) => ({ message }))]),
    parent: unanswered?.entry.id ?? head?.entry.id ?? null,
    fresh: unanswered ? [] : sent.map((message) => ({ message, alone: true })),
  };
}

/**
 * Where the result of a tool's call belongs: behind the newest call of this id, and its results that are there already.
 * @throws GatewayError 400 when there is no such call
 */
function findCall(id: string, transcript: Transcript): Node {
  let place = transcript.visible.findLast(
    ({ entry: { message } }) => message.role === "assistant" && message.tool_calls?.some((call) => call.id === id),
  );
  if (!place) {
    throw new GatewayError("invalid_value", "messages[0].tool_call_id: no call of this id is in the session.", {
      param: "messages[0].tool_call_id",
    });
  }
  for (let next: Node | undefined = place; next; ) {
    place = next;
    next = next.visibleChildren.findLast(
      ({ entry: { message } }) => message.role === "tool" && message.tool_call_id !== id,
    );
  }
  return place;
}

/** The same words at the same place that no answer came to: their caller was told of a failure and says them again. */
function findUnanswered(sent: readonly TurnMessage[], siblings: readonly Node[]): Node | undefined {
  let among = siblings;
  let node: Node | undefined;
  for (const message of sent) {
    node = among.findLast(
      ({ entry, visibleChildren }) =>
        isSameMessage(message, entry.message) &&
        visibleChildren.every(({ entry: next }) => next.message.role !== "assistant" || next.aborted),
    );
    if (!node) return undefined;
    among = node.visibleChildren;
  }
  return node;
}

/** The request as a whole branch from its first message on: it asks for another answer. */
function findWholeTalk(sent: readonly TurnMessage[], transcript: Transcript): Match | undefined {
  const match = findMatch(sent, transcript);
  const isWhole = match?.nodes.length === sent.length && match.nodes[0]?.visibleParent === null;
  return isWhole ? match : undefined;
}

/** Answers that stand where they were not given (an edit above them) still bring the steps that led to them. */
function withHiddenSteps(sent: readonly TurnMessage[], transcript: Transcript | undefined): NewMessage[] {
  const hasHidden = transcript !== undefined && transcript.size > transcript.visible.length;
  return sent.flatMap((message, index) => {
    const given =
      hasHidden && message.role === "assistant" ? findGiven(message, sent[index - 1], transcript) : undefined;
    const steps = given ? hiddenStepsBefore(given) : [];
    return [...steps.map((step) => ({ message: step.message, hidden: true })), { message }];
  });
}

/** The answer that was given, best to the same question: "Done." may stand in many places. */
function findGiven(answer: TurnMessage, asked: TurnMessage | undefined, { visible }: Transcript): Node | undefined {
  const given = visible.filter((node) => node.parent?.entry.hidden && isToldAgain(answer, node));
  const isAnswerTo = ({ visibleParent }: Node) =>
    asked && visibleParent && isSameMessage(asked, visibleParent.entry.message);
  return given.findLast(isAnswerTo) ?? given.at(-1);
}
