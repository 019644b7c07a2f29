import { expect } from "vitest";
import type { WatchedSession, WatchOptions } from "../../src/socket/index.ts";
import { settle } from "./fake-socket.ts";
import { openReady } from "./ready-socket.ts";

export const KEY = "agent:main:main";
export const at = (seq: number, content: string, id = `m${seq}`, more = {}) => ({
  ...{ role: "user", content, timestamp: 1 },
  __openclaw: { id, seq, ...more },
});
export const texts = (session: WatchedSession | undefined) => session?.messages.map(({ content }) => content);

/** A watch of a session that the test plays by hand. */
export async function watch(messages: object[] = [], options?: WatchOptions, more = {}) {
  const { socket, sockets, first } = await openReady();
  const seen: WatchedSession[] = [];
  const stop = socket.watch("main", (session) => seen.push(session), options);
  expect(seen).toEqual([]);
  await settle();
  const read = async (result: object, connection = first) => {
    connection.answer({ subscribed: true, key: KEY }, "sessions.messages.subscribe");
    await settle();
    connection.answer({ messages: [], hasMore: false, ...result }, "chat.history");
    await settle();
  };
  await read({ messages, ...more });
  const tell = (message: object) => first.event("session.message", { sessionKey: KEY, message });
  const chat = (payload: object) => first.event("chat", { sessionKey: KEY, runId: "run", ...payload });
  return { socket, sockets, first, seen, stop, read, tell, chat, last: () => seen.at(-1) };
}
