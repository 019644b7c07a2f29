import { WebSocket } from "ws";
import { type GatewayDoor, openSocket } from "./ask-gateway.ts";
import { SocketClient } from "./socket-client.ts";

/**
 * Connects to a gateway and says hello.
 *
 * @param signal ends the attempt, and nothing after it
 * @throws what {@link openSocket} and {@link SocketClient.connect} do
 */
export async function connectSocket(
  door: GatewayDoor,
  { token, signal }: { token: string | undefined; signal: AbortSignal },
): Promise<SocketClient> {
  const opening = new AbortController();
  const stop = () => opening.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  let socket: WebSocket | undefined;
  try {
    const stream = await openSocket(door, { knows: true, signal: opening.signal });
    // A Host that every gateway serves, whatever its address is called.
    socket = new WebSocket("ws://localhost/", { createConnection: () => stream, perMessageDeflate: false });
    const client = new SocketClient(socket);
    await client.connect(token);
    return client;
  } catch (error) {
    socket?.terminate();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
