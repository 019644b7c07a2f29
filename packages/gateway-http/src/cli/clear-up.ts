import type { SocketClient } from "./socket-client.ts";

/** What a run leaves in a gateway, and how long in milliseconds that may take to go. */
export interface Remains {
  sessionKey: string;
  runId: string;
  clearMs: number;
}

/**
 * Ends a run, and waits until it has.
 * @throws RefusedError, ConnectionLostError, also when it takes too long: the connection is ended then; NotUnderstoodError
 */
export async function endRun(client: SocketClient, { sessionKey, runId, clearMs }: Remains): Promise<void> {
  const end = async () => {
    const { aborted } = await client.request("chat.abort", { sessionKey, runId });
    if (aborted) await client.request("agent.wait", { runId, timeoutMs: clearMs });
  };
  await inTime(client, clearMs, end());
}

/** @returns why the session stays; `undefined` when it is gone */
export async function deleteSession(
  client: SocketClient,
  { sessionKey, clearMs }: Remains,
): Promise<string | undefined> {
  try {
    await inTime(client, clearMs, client.request("sessions.delete", { key: sessionKey }));
    return undefined;
  } catch (error) {
    return toClause((error as Error).message) || "the connection was lost";
  }
}

/** A sentence to go on from. */
export function toClause(sentence: string): string {
  return sentence.replace(/\.$/, "");
}

async function inTime(client: SocketClient, ms: number, work: Promise<unknown>): Promise<void> {
  const late = setTimeout(() => client.end(), ms);
  try {
    await work;
  } finally {
    clearTimeout(late);
  }
}
