import type { Addition, Entry, SessionSettled } from "./entry.ts";
import { normalizedText } from "./message-identity.ts";

/** Characters that an entry takes besides its text, measured. */
const ENTRY_WEIGHT = 700;

/** An entry at its place in the tree. */
export interface Node {
  readonly entry: Entry;
  readonly parent: Node | null;
  readonly children: Node[];
  /** The nearest entry above that callers see: to them, this one follows it. */
  readonly visibleParent: Node | null;
  /** The entries that, to callers, follow this one. */
  readonly visibleChildren: Node[];
}

export interface TranscriptMeta extends SessionSettled {
  readonly agent: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A session's messages as a tree. It only grows: an edit or another answer is a new branch. */
export class Transcript {
  meta: TranscriptMeta;
  /** Whether a caller ever sent history, instead of only what was new. */
  carriesHistory = false;
  /** What callers see, in the order it was kept. */
  readonly visible: Node[] = [];
  /** Those of them that were cut short. */
  readonly abortedAnswers: Node[] = [];
  /** The first messages of all branches. */
  readonly visibleRoots: Node[] = [];
  #head: Node | null = null;
  #branches = 0;
  readonly #roots: Node[] = [];
  readonly #nodes = new Map<string, Node>();
  #weight = 0;
  /** What callers see, by text; made when it is first asked for. */
  #byText: Map<string, Node[]> | undefined;

  constructor(meta: TranscriptMeta) {
    this.meta = meta;
  }

  /** That of a new session. */
  static begin(agent: string, begins: Addition["begins"], at: number): Transcript {
    return new Transcript({ agent, title: null, settings: {}, ...begins, createdAt: at, updatedAt: at });
  }

  /**
   * The message that was answered last; a caller who sends only what is new continues here. `null`: such a caller begins
   * a branch.
   */
  get head(): Node | null {
    return this.#head;
  }

  /** How many entries there are, hidden ones too. */
  get size(): number {
    return this.#nodes.size;
  }

  /** About how many characters of memory it takes. */
  get weight(): number {
    return this.#weight;
  }

  /** The messages of this text that callers see, oldest first. */
  ofText(text: string): readonly Node[] {
    if (!this.#byText) {
      this.#byText = new Map();
      for (const node of this.visible) this.#index(node, this.#byText);
    }
    return this.#byText.get(text) ?? [];
  }

  /** How many messages that callers see are the last of their branch. */
  get branches(): number {
    return this.#branches;
  }

  get(id: string): Node | undefined {
    return this.#nodes.get(id);
  }

  /** What follows an entry, hidden steps too; the first entries for `null`. */
  children(id: string | null): readonly Node[] {
    return id === null ? this.#roots : (this.#nodes.get(id)?.children ?? []);
  }

  /** From the first message to this entry, hidden steps too. */
  path(id: string | null | undefined): Entry[] {
    const path: Entry[] = [];
    for (let node = id == null ? null : this.#nodes.get(id); node; node = node.parent) path.push(node.entry);
    return path.reverse();
  }

  /** All entries, in the order they were kept. */
  *entries(): Generator<Entry> {
    for (const { entry } of this.#nodes.values()) yield entry;
  }

  /** @throws Error when an entry's parent is not here, and then nothing was added */
  add({ entries, head, carriesHistory }: Pick<Addition, "entries" | "head" | "carriesHistory">): void {
    const coming = new Set<string>();
    for (const { id, parent } of entries) {
      if (parent !== null && !this.#nodes.has(parent) && !coming.has(parent)) throw new Error("no such parent entry");
      if (this.#nodes.has(id) || coming.has(id)) throw new Error("an entry of this id is kept already");
      coming.add(id);
    }
    if (head != null && !this.#nodes.has(head) && !coming.has(head)) throw new Error("no such head entry");
    for (const entry of entries) this.#add(entry);
    if (head !== undefined) this.#head = head === null ? null : (this.#nodes.get(head) ?? null);
    if (carriesHistory) this.carriesHistory = true;
  }

  #index(node: Node, byText: Map<string, Node[]>): void {
    const text = normalizedText(node.entry.message);
    const same = byText.get(text);
    if (same) same.push(node);
    else byText.set(text, [node]);
  }

  #add(entry: Entry): void {
    const parent = entry.parent === null ? null : (this.#nodes.get(entry.parent) ?? null);
    const visibleParent = parent?.entry.hidden ? parent.visibleParent : parent;
    const node: Node = { entry, parent, children: [], visibleParent, visibleChildren: [] };
    this.#nodes.set(entry.id, node);
    this.#weight += weightOf(entry);
    (parent ? parent.children : this.#roots).push(node);
    if (entry.hidden) return;
    this.visible.push(node);
    if (entry.aborted) this.abortedAnswers.push(node);
    if (this.#byText) this.#index(node, this.#byText);
    // The first to follow a message takes over as its branch's end.
    if (!visibleParent || visibleParent.visibleChildren.length > 0) this.#branches++;
    (visibleParent ? visibleParent.visibleChildren : this.visibleRoots).push(node);
  }
}

/** About how many characters of memory entries take: their texts, and what surrounds even the shortest. */
export function weightOfAll(entries: readonly Pick<Entry, "message">[]): number {
  return entries.reduce((sum, entry) => sum + weightOf(entry), 0);
}

function weightOf({ message }: Pick<Entry, "message">): number {
  const isText = typeof message.content === "string" && !("tool_calls" in message);
  return ENTRY_WEIGHT + (isText ? (message.content as string).length : JSON.stringify(message).length);
}

/** The agent's own steps between an answer and what it answers, oldest first. */
export function hiddenStepsBefore(node: Node): Entry[] {
  const steps: Entry[] = [];
  for (let above = node.parent; above?.entry.hidden; above = above.parent) steps.push(above.entry);
  return steps.reverse();
}
