import type { Usage } from "@openclaw/protocol";

/** How a run ended. Times are milliseconds. */
export interface RunFigures {
  agent: string;
  /** The finish reason, or the error's code. */
  outcome: string;
  ms: number;
  /** Of a streamed run that said something. */
  firstTokenMs?: number | undefined;
  usage: Usage | undefined;
}

/** How one call of a provider ended. */
export interface CallFigures {
  provider: string;
  /** The error's; absent for an answer. */
  code?: string | undefined;
  ms: number;
}

/** How a request ended. */
export interface RequestFigures {
  /** The route's pattern; absent where there is none. */
  route: string | undefined;
  method: string;
  status: number;
}

/** Seconds. From an agent that answers by itself to one that works for minutes. */
export const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Names of agents and providers that are told apart: configs change, and code may run agents of any name. */
const MAX_NAMES = 200;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** How many there were of each kind. */
class Counts extends Map<string, number> {
  add(kind: string, count = 1): void {
    this.set(kind, (this.get(kind) ?? 0) + count);
  }
}

/** How long it took, each time. */
export class Times {
  /** How many took longer than the bucket before and not longer than this one; the last took longer than all. */
  readonly buckets: number[] = new Array(BUCKETS.length + 1).fill(0);
  /** Seconds. */
  sum = 0;

  add(ms: number): void {
    const seconds = ms / 1000;
    let at = 0;
    while (seconds > (BUCKETS[at] ?? Number.POSITIVE_INFINITY)) at++;
    this.buckets[at] = (this.buckets[at] ?? 0) + 1;
    this.sum += seconds;
  }
}

const createOfAgent = () => ({
  outcomes: new Counts(),
  tokens: new Counts(),
  took: new Times(),
  firstToken: new Times(),
});
const createOfProvider = () => ({ codes: new Counts(), took: new Times() });

/**
 * What is counted of a gateway. A request is counted at a dozen places, so counting is a look into a map, and what
 * writes the figures is not asked.
 */
export class Figures {
  readonly agents = new Map<string, ReturnType<typeof createOfAgent>>();
  readonly providers = new Map<string, ReturnType<typeof createOfProvider>>();
  /** By what is told apart of a request, in one. */
  readonly requests = new Map<string, { route: string; method: string; status: number; count: number }>();
  readonly authFailures = new Counts();

  run({ agent, outcome, ms, firstTokenMs, usage }: RunFigures): void {
    const { outcomes, tokens, took, firstToken } = childOf(this.agents, agent, createOfAgent);
    outcomes.add(outcome);
    took.add(ms);
    if (firstTokenMs !== undefined) firstToken.add(firstTokenMs);
    const add = (type: string, count: number | undefined) => {
      // What a provider says is anything: a counter only goes up.
      if (count !== undefined && count >= 0 && Number.isFinite(count)) tokens.add(type, count);
    };
    add("input", usage?.prompt_tokens);
    add("output", usage?.completion_tokens);
    add("cached", usage?.prompt_tokens_details?.cached_tokens);
    add("reasoning", usage?.completion_tokens_details?.reasoning_tokens);
  }

  call({ provider, code = "ok", ms }: CallFigures): void {
    const { codes, took } = childOf(this.providers, provider, createOfProvider);
    codes.add(code);
    took.add(ms);
  }

  request({ route = "none", method: any, status }: RequestFigures): void {
    const method = METHODS.has(any) ? any : "other";
    const key = `${method} ${status} ${route}`;
    const known = this.requests.get(key);
    if (known) known.count++;
    else this.requests.set(key, { route, method, status, count: 1 });
  }

  authFailure(reason: string): void {
    this.authFailures.add(reason);
  }
}

/** Under its own name while there are few, else under "other". */
function childOf<Child>(children: Map<string, Child>, name: string, create: () => Child): Child {
  const known = children.get(name) ?? (children.size >= MAX_NAMES ? children.get("other") : undefined);
  if (known) return known;
  const child = create();
  children.set(children.size >= MAX_NAMES ? "other" : name, child);
  return child;
}
