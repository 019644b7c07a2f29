import type { TurnMessage } from "../chat/turn.ts";
import { isSameMessage, isStartOf, normalizedText } from "./message-identity.ts";
import type { Node, Transcript } from "./transcript.ts";

/** Which messages of a request are kept already, and where. */
export interface Match {
  /** Index of the first message that is kept. */
  start: number;
  /** The entries of `sent[start]`, `sent[start + 1]`, …: each the visible child of the one before. */
  nodes: Node[];
}

/** Of the places that fit, this many are followed: a talk of a thousand times "ok" fits everywhere. */
const MAX_PATHS = 64;
/** Messages at a request's beginning that may be unknown (a client's summary of what it trimmed). */
const MAX_UNKNOWN_START = 8;

/**
 * The longest stretch of the request's talk, from its first message on, that is a path of the tree. The path may begin
 * anywhere: clients trim. Only when the first message is kept nowhere, a stretch further on counts, if an answer is in
 * it. Pure.
 */
export function findMatch(sent: readonly TurnMessage[], transcript: Transcript): Match | undefined {
  const rooted = longestPath(sent, 0, transcript.visibleRoots, transcript);
  const lastAnswer = sent.findLastIndex(({ role }) => role === "assistant");
  // The usual request: a talk that is known whole, and something new. Nothing else can fit better.
  const isExact = rooted.every((node, index) => isToldAgain(sent[index] as TurnMessage, node));
  if (rooted.length > Math.max(lastAnswer, 0) && isExact) return { start: 0, nodes: rooted };
  const nodes = longestPath(sent, 0, beginnings(sent, 0, transcript), transcript);
  if (nodes.length > 0) return { start: 0, nodes };
  for (let start = 1; start < Math.min(sent.length, MAX_UNKNOWN_START + 1); start++) {
    const later = longestPath(sent, start, beginnings(sent, start, transcript), transcript);
    if (later.some(({ entry }) => entry.message.role === "assistant")) return { start, nodes: later };
  }
  return undefined;
}

/**
 * Where a path that begins with this message may begin: at messages of its text, at what was cut short, or at questions
 * whose answers vouch for them. First messages of branches come first, then the newest: where only some are followed,
 * these are.
 */
function beginnings(sent: readonly TurnMessage[], start: number, transcript: Transcript): Iterable<Node> {
  const found = new Set<Node>();
  const answer = sent[start + 1];
  const same = transcript.ofText(normalizedText(sent[start] as TurnMessage));
  const answers = answer?.role === "assistant" ? transcript.ofText(normalizedText(answer)) : [];
  const above = [...answers, ...transcript.abortedAnswers].flatMap(({ visibleParent }) => visibleParent ?? []);
  const all = [...above, ...transcript.abortedAnswers, ...same].reverse();
  for (const node of all) if (!node.visibleParent) found.add(node);
  for (const node of all) found.add(node);
  return found;
}

/** One message of a path that fits. */
interface Step {
  node: Node;
  previous: Step | undefined;
  /** How many messages of the path are the same, and not only vouched for. */
  exact: number;
  /** Whether the path begins with a first message. */
  rooted: boolean;
}

function longestPath(
  sent: readonly TurnMessage[],
  start: number,
  from: Iterable<Node>,
  transcript: Transcript,
): Node[] {
  let steps: Step[] = [];
  for (const node of from) {
    const step = fit(sent, start, node, undefined);
    if (step) steps.push(step);
    if (steps.length === MAX_PATHS) break;
  }
  for (let index = start + 1; index < sent.length && steps.length > 0; index++) {
    const next: Step[] = [];
    for (const previous of steps) {
      for (const child of previous.node.visibleChildren) {
        const step = next.length < MAX_PATHS ? fit(sent, index, child, previous) : undefined;
        if (step) next.push(step);
      }
    }
    if (next.length === 0) break;
    steps = next;
  }
  const path: Node[] = [];
  for (let step = best(steps, transcript); step; step = step.previous) path.push(step.node);
  return path.reverse();
}

/** Of equally long paths: one with most of the same words, one that begins a talk, the current one, the newest. */
function best(steps: readonly Step[], { head }: Transcript): Step | undefined {
  if (steps.length < 2) return steps[0];
  const most = Math.max(...steps.map(({ exact }) => exact));
  const fitting = steps.filter(({ exact }) => exact === most);
  const rooted = fitting.filter((step) => step.rooted);
  const left = rooted.length > 0 ? rooted : fitting;
  const current = new Set<Node>();
  for (let node = head; node; node = node.visibleParent) current.add(node);
  const newest = (one: Step, other: Step) => (other.node.entry.at >= one.node.entry.at ? other : one);
  return left.find(({ node }) => current.has(node)) ?? left.reduce(newest);
}

function fit(sent: readonly TurnMessage[], index: number, node: Node, previous: Step | undefined): Step | undefined {
  const message = sent[index] as TurnMessage;
  const exact = isSameMessage(message, node.entry.message);
  if (!exact && !isToldAgain(message, node) && !isVouchedFor(message, sent[index + 1], node)) return undefined;
  return {
    node,
    previous,
    exact: (previous?.exact ?? 0) + (exact ? 1 : 0),
    rooted: previous ? previous.rooted : node.visibleParent === null,
  };
}

/** Whether a message is this one, or as much of it as its reader had seen when it was cut short. */
export function isToldAgain(message: TurnMessage, { entry }: Node): boolean {
  return isSameMessage(message, entry.message) || (entry.aborted === true && isStartOf(message, entry.message));
}

/** Clients put retrieved text around a question once and later send it bare: then its answer vouches for it. */
function isVouchedFor(message: TurnMessage, answer: TurnMessage | undefined, node: Node): boolean {
  if (message.role !== "user" || node.entry.message.role !== "user" || answer?.role !== "assistant") return false;
  return node.visibleChildren.some((child) => isToldAgain(answer, child));
}
