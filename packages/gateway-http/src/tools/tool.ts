/** What a tool gets besides its arguments. */
export interface ToolContext {
  /** Aborts when the run is to stop. */
  readonly signal: AbortSignal;
  readonly runId: string;
  readonly agentId: string;
  readonly sessionKey: string;
}

/** What the model reads of a call. */
export interface ToolResult {
  readonly text: string;
  /** Whether the tool did what it was asked for. */
  readonly ok: boolean;
}

/** Something an agent can do by itself, whoever does it: a function, a server. */
export interface Tool {
  /** What the model calls it: 1 to 64 of `a-z`, `A-Z`, `0-9`, `_` and `-`. */
  readonly name: string;
  readonly description?: string | undefined;
  /** JSON Schema of an object, as the model is to see it. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Need not check `args`, nor bound what it returns. What it throws is told to the model as a failure. */
  run(args: Readonly<Record<string, unknown>>, context: ToolContext): Promise<ToolResult>;
}

/** Tools that may come and go while a gateway runs. */
export interface ToolSource {
  /** Settles when all tools that will soon be there are. Never rejects, and settles at once when asked again. */
  ready(): Promise<void>;
  /** Those that can be called now, in an order that only depends on which they are: providers cache prompts. */
  list(): readonly Tool[];
}
