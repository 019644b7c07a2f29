import type { HelloOk } from "@openclaw/protocol/socket";
import { createSocket, type SocketOptions } from "../../src/socket/index.ts";
import { TOKEN } from "./client.ts";
import { type FakeSocket, fakeWebSocket, HELLO, settle } from "./fake-socket.ts";

/** A socket that is connected to what the test plays by hand. */
export async function openReady(options: Partial<SocketOptions> = {}, hello: HelloOk = HELLO) {
  const { sockets, WebSocket } = fakeWebSocket();
  const socket = createSocket({ baseUrl: "http://gateway.test", token: TOKEN, WebSocket, ...options });
  const connected = socket.connect();
  await settle();
  const first = sockets[0] as FakeSocket;
  first.accept(hello);
  await connected;
  return { socket, sockets, first };
}
