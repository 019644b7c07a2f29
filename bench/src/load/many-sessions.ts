import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toAskText } from "../ask.ts";
import { type Seed, toSeedKey } from "../seed.ts";
import type { HttpSocket } from "./http-socket.ts";
import { type Figures, type LoadClient, quantile } from "./load-client.ts";
import { type Target, toRequestBytes } from "./request.ts";

const CALLERS = 8;
/** The agent's instructions and the new question. */
const MESSAGES_BESIDES = 2;

export type ManySessionsPlan = Seed & { warmTurns: number; tokens: number; pace: number; statelessRequests: number };

/**
 * A gateway with few sessions and one with very many, both up, answering turn about: each turn is the first of a session
 * that its process has not seen, so all of it is read from the database.
 */
export async function runManySessions(client: LoadClient, plan: ManySessionsPlan): Promise<Figures> {
  const { target: few, second: many } = client.job;
  if (!many?.stateFolder) throw new Error("two gateways are needed");
  await checkNothingWritten(client, many.stateFolder, plan.statelessRequests);
  const before = readFiles(many.stateFolder);
  const sides = [few, many].map((target) => ({ target, socket: client.newSocket(target), firsts: [] as number[] }));
  const { messages: seen = 0 } = await client.control("stats");
  for (let session = 0; session < plan.sessions && !client.isBroken; session++) {
    for (const { target, socket, firsts } of session % 2 === 0 ? sides : sides.toReversed()) {
      const firstMs = await takeTurn(client, plan, target, socket, session);
      if (session >= plan.warmTurns) firsts.push(firstMs);
    }
  }
  for (const { socket } of sides) socket.destroy();
  const { messages: sent = 0 } = await client.control("stats");
  const expected = plan.sessions * sides.length * (plan.messages + MESSAGES_BESIDES);
  if (sent - seen !== expected) {
    client.failures.push(`${sent - seen} messages were sent to the provider, not ${expected}: sessions were not found`);
  }
  if (before === readFiles(many.stateFolder)) client.failures.push("turns of sessions were not written where expected");
  const [fewP50, manyP50] = sides.map(({ firsts }) => quantile(firsts, 0.5)) as [number, number];
  const [fewP99, manyP99] = sides.map(({ firsts }) => quantile(firsts, 0.99)) as [number, number];
  return { fewP50, manyP50, fewP99, manyP99, ratio: manyP50 / fewP50 };
}

async function takeTurn(
  client: LoadClient,
  { tokens, pace }: ManySessionsPlan,
  target: Target,
  socket: HttpSocket,
  session: number,
): Promise<number> {
  const messages = [{ role: "user" as const, content: toAskText({ tokens, pace }) }];
  const request = toRequestBytes(target, { stream: true, messages, sessionKey: toSeedKey(session) });
  return (await client.ask(socket, request, tokens)).firstMs;
}

/** A request without a session must leave no trace: not one byte, and no look at the disk. */
async function checkNothingWritten(client: LoadClient, stateFolder: string, requests: number): Promise<void> {
  const { second } = client.job as { second: Target };
  const messages = [{ role: "user" as const, content: toAskText({ tokens: 5 }) }];
  const request = toRequestBytes(second, { stream: false, messages });
  const before = readFiles(stateFolder);
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      const socket = client.newSocket(second);
      for (let count = 0; count < requests / CALLERS; count++) await client.ask(socket, request, 5, false);
      socket.destroy();
    }),
  );
  // What was put off would come now.
  await sleep(300);
  const after = readFiles(stateFolder);
  if (after !== before) client.failures.push(`stateless requests wrote to the database: ${before} became ${after}`);
}

/** Size and time of the last change of the database and its log, which is missing before the first write. */
function readFiles(stateFolder: string): string {
  const read = (name: string) => {
    const stat = statSync(join(stateFolder, name), { throwIfNoEntry: false });
    return `${name} ${stat ? `${stat.size} bytes at ${stat.mtimeMs}` : "missing"}`;
  };
  return ["sessions.sqlite", "sessions.sqlite-wal"].map(read).join(", ");
}
