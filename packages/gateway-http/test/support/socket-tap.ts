import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { toText } from "../../src/ws/parse-frame.ts";
import { Referee } from "./socket-referee.ts";

/** Codes that no close frame may have. */
const isSendable = (code: number) => code >= 1000 && code !== 1004 && code !== 1005 && code !== 1006;

interface SocketTap {
  /** Where clients are to connect to. */
  readonly url: string;
  /** Where what comes next is to go. */
  leadTo(url: string): void;
  /** One for each connection so far. */
  readonly referees: readonly Referee[];
  /** Names of the events and methods that were looked at. */
  readonly seen: ReadonlySet<string>;
}

/** Stands between a client and the gateway, passes all on as it is, and has every frame looked at. */
export async function tapSocket(first: string): Promise<SocketTap> {
  let url = first;
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await once(server, "listening");
  const referees: Referee[] = [];
  server.on("connection", (client, request) => {
    const referee = new Referee();
    referees.push(referee);
    const gateway = new WebSocket(`${url.replace(/^http/, "ws")}${request.url}`, { perMessageDeflate: false });
    const early: string[] = [];
    client.on("message", (data) => {
      const text = toText(data);
      referee.sent(text);
      if (gateway.readyState === WebSocket.OPEN) gateway.send(text);
      else early.push(text);
    });
    gateway.on("open", () => {
      for (const text of early) gateway.send(text);
    });
    gateway.on("message", (data) => {
      const text = toText(data);
      referee.received(JSON.parse(text));
      client.send(text);
    });
    pass(client, gateway);
    pass(gateway, client);
  });
  onTestFinished(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    expect(referees.flatMap(({ faults }) => faults)).toEqual([]);
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo(next) {
      url = next;
    },
    referees,
    get seen() {
      return new Set(referees.flatMap(({ seen }) => [...seen]));
    },
  };
}

/** The end of one is that of the other. */
function pass(from: WebSocket, to: WebSocket): void {
  from.on("error", () => to.terminate());
  from.on("close", (code, reason) => {
    if (isSendable(code)) to.close(code, reason);
    else to.terminate();
  });
}
