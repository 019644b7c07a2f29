import { setTimeout as delay } from "node:timers/promises";
import type { SocketEventPayload, SocketParams } from "@openclaw/protocol/socket";
import { type Ending, toEnding } from "./run-ending.ts";
import type { SocketClient } from "./socket-client.ts";

/** Milliseconds of one `agent.wait`. */
const WAIT_MS = 25_000;
/** Milliseconds between two looks at a run that waits for another one. */
const QUEUED_MS = 500;

interface Watcher {
  /** The gateway has taken the run, or says on another connection that it has it still. */
  onTaken(status: "accepted" | "in_flight"): void;
  onChat(chat: SocketEventPayload<"chat">): void;
}

/**
 * Asks for a run, and waits for its end. The same again asks for the same run: it is begun once.
 * @throws RefusedError, also for a run that failed; ConnectionLostError, NotUnderstoodError
 */
export async function awaitRun(
  client: SocketClient,
  params: SocketParams<"agent">,
  { onTaken, onChat }: Watcher,
): Promise<Ending> {
  const runId = params.idempotencyKey;
  client.onChat = (chat) => {
    if (chat.runId === runId) onChat(chat);
  };
  for (;;) {
    const end = await client.request("agent", params, ({ status }) => {
      if (status === "accepted" || status === "in_flight") onTaken(status);
      return status !== "accepted";
    });
    if (end.status !== "in_flight") return toEnding(end);
    const { status } = await client.request("agent.wait", { runId, timeoutMs: WAIT_MS });
    if (status === "pending") await delay(QUEUED_MS);
  }
}
