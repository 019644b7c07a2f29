import { copyMessage, type TurnMessage } from "../chat/turn.ts";
import { findMatch, isToldAgain, type Match } from "./match.ts";
import { isSameMessage } from "./message-identity.ts";
import { hiddenStepsBefore, type Node, type Transcript } from "./transcript.ts";

/** A message to keep, not yet in the tree. */
export interface NewMessage {
  message: TurnMessage;
  hidden: boolean;
}

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
  /** The caller sent history, not only what is new. */
  carriesHistory: boolean;
}

/**
 * What a request says that its session does not know, and what the model is to see. Pure.
 *
 * The model sees the request's messages as they were sent, with the agent's own steps put back before each answer they
 * led to. When only new messages were sent, the talk up to the head comes first.
 *
 * @param isChat whether the key is a chat's own id: then requests carry all that is to be heard
 */
export function reconcile(
  sent: readonly TurnMessage[],
  transcript: Transcript | undefined,
  { isChat }: { isChat: boolean },
): Placement {
  const carriesHistory = sent.some(({ role }) => role === "assistant");
  const isFirst = !transcript?.size;
  const place = transcript && !isFirst ? findPlace(sent, transcript, isChat, carriesHistory) : undefined;
  return { ...(place ?? begin(sent, transcript)), aside: isChat && !place, isFirst, carriesHistory };
}

type Place = Pick<Placement, "talk" | "parent" | "fresh">;

function findPlace(
  sent: readonly TurnMessage[],
  transcript: Transcript,
  isChat: boolean,
  carriesHistory: boolean,
): Place | undefined {
  if (!carriesHistory && (!isChat || sent[0]?.role === "tool")) {
    const again = transcript.carriesHistory ? findWholeTalk(sent, transcript) : undefined;
    return again ? carryOn(sent, again, transcript) : continueHead(sent, transcript);
  }
  const match = findMatch(sent, transcript);
  return match && carryOn(sent, match, transcript);
}

function begin(sent: readonly TurnMessage[], transcript: Transcript | undefined): Place {
  const fresh = withHiddenSteps(sent, transcript);
  return { talk: fresh.map(toMessage), parent: null, fresh };
}

/** The request repeats a path of the tree: what follows it is new. */
function carryOn(sent: readonly TurnMessage[], { start, nodes }: Match, transcript: Transcript): Place {
  const before = withHiddenSteps(sent.slice(0, start), transcript);
  const known = nodes.flatMap((node, index) => [
    ...hiddenStepsBefore(node).map(toMessage),
    sent[start + index] as TurnMessage,
  ]);
  const fresh = withHiddenSteps(sent.slice(start + nodes.length), transcript);
  const last = nodes.at(-1) as Node;
  return { talk: [...before.map(toMessage), ...known, ...fresh.map(toMessage)], parent: last.entry.id, fresh };
}

/** The request says only what is new. */
function continueHead(sent: readonly TurnMessage[], transcript: Transcript): Place {
  const { head } = transcript;
  const past = transcript.path(head?.entry.id).map(toMessage);
  const unanswered = findUnanswered(sent, head ? head.visibleChildren : transcript.visibleRoots);
  return {
    talk: [...past, ...sent],
    parent: unanswered?.entry.id ?? head?.entry.id ?? null,
    fresh: unanswered ? [] : sent.map((message) => ({ message, hidden: false })),
  };
}

/** The same words at the same place that no answer came to: their caller was told of a failure and says them again. */
function findUnanswered(sent: readonly TurnMessage[], siblings: readonly Node[]): Node | undefined {
  let among = siblings;
  let node: Node | undefined;
  for (const message of sent) {
    node = among.findLast(
      ({ entry, visibleChildren }) =>
        isSameMessage(message, entry.message) &&
        visibleChildren.every(({ entry: next }) => next.message.role !== "assistant"),
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
  return sent.flatMap((message) => {
    const given =
      hasHidden && message.role === "assistant"
        ? transcript.visible.findLast((node) => node.parent?.entry.hidden && isToldAgain(message, node))
        : undefined;
    const steps = given ? hiddenStepsBefore(given) : [];
    return [...steps.map((step) => ({ message: step.message, hidden: true })), { message, hidden: false }];
  });
}

/** A copy: what an agent does to its messages must not change what is kept. */
function toMessage({ message }: { message: TurnMessage }): TurnMessage {
  return copyMessage(message);
}
