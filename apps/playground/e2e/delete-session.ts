import { createSocket } from "@openclaw/client/socket";
import type { RunningPlayground } from "./start-playground.ts";

/** As a program does that speaks over the socket. */
export async function deleteSession({ url, token }: RunningPlayground, key: string): Promise<void> {
  const socket = createSocket({ baseUrl: url, token });
  try {
    await socket.request("sessions.delete", { key });
  } finally {
    socket.close();
  }
}
