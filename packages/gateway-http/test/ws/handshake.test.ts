import { generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { HelloOkSchema } from "@openclaw/gateway-protocol/schema";
import { Compile } from "typebox/compile";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { connectParams, connectSocket, openSocket } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

test("a client that knows the token is let in, with what it asked for", async () => {
  const { url } = await startGateway();
  const client = await connectSocket(url, { token: TOKEN, scopes: ["operator.read", "x.unknown"] });
  expect(client.frames[0]).toMatchObject({ type: "event", event: "connect.challenge" });
  expect(client.frames[0]).not.toHaveProperty("seq");
  const hello = Compile(HelloOkSchema);
  expect([...hello.Errors(client.hello)]).toEqual([]);
  expect(client.hello).toMatchObject({
    type: "hello-ok",
    protocol: 4,
    auth: { role: "operator", scopes: ["operator.read", "x.unknown"] },
    policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
    snapshot: { sessionDefaults: { mainSessionKey: "agent:main:main" }, authMode: "token" },
  });
  expect(client.hello.auth).not.toHaveProperty("deviceToken");
  expect(client.hello.features).not.toHaveProperty("capabilities");
});
