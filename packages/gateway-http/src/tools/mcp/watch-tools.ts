import { setTimeout as delay } from "node:timers/promises";
import { type Client, ProtocolError, SdkError, SdkErrorCode } from "@modelcontextprotocol/client";
import { type ListedTool, listTools } from "./list-tools.ts";

/** Between two looks at a server's list. */
const PAUSE_MS = 1000;
/** Between two streams for news, of a server that ends them at once. */
const LONGEST_PAUSE_MS = 60_000;

interface Watch {
  readonly client: Client;
  /** Whether anybody still wants to know. */
  isOpen(): boolean;
  onTools(tools: readonly ListedTool[]): void;
  /** The list could not be had, and not because the server said so. */
  onFailure(error: unknown): void;
}

export interface ToolWatch {
  /** Looks at once, or some time after the last look: a server that always has news is not asked without a pause. */
  look(): void;
  /** Has the server tell of changes for as long as there is a session. */
  listen(): Promise<void>;
}

/** Keeps up with a server's list of tools. One that cannot be had changes nothing: the old one holds. */
export function watchTools({ client, isOpen, onTools, onFailure }: Watch): ToolWatch {
  let looking: Promise<void> | undefined;
  let again = false;
  let last = -PAUSE_MS;

  function look(): void {
    if (!isOpen()) return;
    again = looking !== undefined;
    looking ??= refresh().finally(() => {
      looking = undefined;
      if (again) look();
    });
  }

  async function refresh(): Promise<void> {
    await delay(Math.max(0, last + PAUSE_MS - performance.now()), undefined, { ref: false });
    last = performance.now();
    try {
      const tools = await listTools(client);
      if (isOpen()) onTools(tools);
    } catch (error) {
      if (!isAnswer(error)) onFailure(error);
    }
  }

  /** Only the newest protocol has a stream of its own for this. It may break while the server is well. */
  async function listen(): Promise<void> {
    let subscription = client.autoOpenedSubscription;
    let pause = PAUSE_MS;
    while (subscription) {
      const since = performance.now();
      await subscription.closed;
      if (performance.now() - since > LONGEST_PAUSE_MS) pause = PAUSE_MS;
      look();
      await delay(pause, undefined, { ref: false });
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
      subscription = isOpen() ? await client.listen({ toolsListChanged: true }).catch(() => undefined) : undefined;
      // What was told between the two streams nobody heard.
      if (subscription) look();
    }
  }

  return { look, listen };
}

function isAnswer(error: unknown): boolean {
  return error instanceof ProtocolError || (error instanceof SdkError && error.code === SdkErrorCode.InvalidResult);
}
