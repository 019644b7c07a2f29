import { connectSocket, type SocketClient, type SocketClientOptions } from "./socket-client.ts";

/** Fewer than may be strangers at a time. */
const AT_ONCE = 25;

/** So many clients that were let in. */
export async function connectMany(url: string, count: number, options: SocketClientOptions): Promise<SocketClient[]> {
  const clients: SocketClient[] = [];
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, () => connectSocket(url, options));
    clients.push(...(await Promise.all(some)));
  }
  return clients;
}
