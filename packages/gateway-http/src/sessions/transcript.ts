import type { Addition, Entry } from "./entry.ts";

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

export interface TranscriptMeta {
  readonly agent: string;
  readonly title: string | null;
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
  /** The first messages of all branches. */
  readonly visibleRoots: Node[] = [];
  #head: Node | null = null;
  readonly #roots: Node[] = [];
  readonly #nodes = new Map<string, Node>();

  constructor(meta: TranscriptMeta) {
    this.meta = meta;
  }

  /** The message that was answered last; a caller who sends only what is new continues here. */
  get head(): Node | null {
    return this.#head;
  }

  /** How many entries there are, hidden ones too. */
  get size(): number {
    return this.#nodes.size;
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
  add({ entries, head, carriesHistory }: Omit<Addition, "agent">): void {
    const coming = new Set<string>();
    for (const { id, parent } of entries) {
      if (parent !== null && !this.#nodes.has(parent) && !coming.has(parent)) throw new Error("no such parent entry");
      if (this.#nodes.has(id) || coming.has(id)) throw new Error("an entry of this id is kept already");
      coming.add(id);
    }
    if (head !== undefined && !this.#nodes.has(head) && !coming.has(head)) throw new Error("no such head entry");
    for (const entry of entries) this.#add(entry);
    if (head !== undefined) this.#head = this.#nodes.get(head) ?? null;
    if (carriesHistory) this.carriesHistory = true;
  }

  #add(entry: Entry): void {
    const parent = entry.parent === null ? null : (this.#nodes.get(entry.parent) ?? null);
    const visibleParent = parent?.entry.hidden ? parent.visibleParent : parent;
    const node: Node = { entry, parent, children: [], visibleParent, visibleChildren: [] };
    this.#nodes.set(entry.id, node);
    (parent ? parent.children : this.#roots).push(node);
    if (entry.hidden) return;
    this.visible.push(node);
    (visibleParent ? visibleParent.visibleChildren : this.visibleRoots).push(node);
  }
}

/** The agent's own steps between an answer and what it answers, oldest first. */
export function hiddenStepsBefore(node: Node): Entry[] {
  const steps: Entry[] = [];
  for (let above = node.parent; above?.entry.hidden; above = above.parent) steps.push(above.entry);
  return steps.reverse();
}
