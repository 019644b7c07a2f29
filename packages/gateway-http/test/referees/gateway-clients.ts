import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { GatewayClient, type GatewayClientOptions } from "@openclaw/gateway-client";
import { GatewayProtocolClient } from "@openclaw/gateway-client/browser";
import type { EventFrame, HelloOk } from "@openclaw/gateway-protocol";
import { onTestFinished } from "vitest";
import { connectParams } from "../support/socket-client.ts";
import { TOKEN } from "../support/start-gateway.ts";

/** What a client was told, in order, and a way to wait for more of it. */
class Heard {
  readonly events: EventFrame[] = [];
  readonly gaps: object[] = [];
  readonly closes: string[] = [];
  readonly #waiting = new Set<() => void>();

  add(event: EventFrame): void {
    this.events.push(event);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** The payload of the first event of this name that fits. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
  async until(name: string, fits: (payload: any) => boolean = () => true): Promise<any> {
    for (let index = 0; ; index++) {
      while (index >= this.events.length) await new Promise<void>((resolve) => this.#waiting.add(resolve));
      const { event, payload } = this.events[index] as EventFrame;
      if (event === name && fits(payload)) return payload;
    }
  }

  /** The end of a run, and its text in pieces. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects.
  async run(runId: string): Promise<{ end: any; text: string }> {
    const end = await this.until("chat", (chat) => chat.runId === runId && chat.state !== "delta");
    const deltas = this.events.flatMap(({ event, payload }) => {
      const { runId: id, deltaText = "" } = payload as { runId?: string; deltaText?: string };
      return event === "chat" && id === runId ? [deltaText] : [];
    });
    return { end, text: deltas.join("") };
  }
}

type DialOptions = { [Name in keyof GatewayClientOptions]: GatewayClientOptions[Name] | undefined };
type Device = { [Name in "deviceIdentity" | "hostDeps"]: NonNullable<GatewayClientOptions[Name]> };

/** Node's client of the published package, stopped when the test ends. */
export function dial(url: string, options: DialOptions = {}) {
  const heard = new Heard();
  const hello = Promise.withResolvers<HelloOk>();
  const paused = Promise.withResolvers<object>();
  const errors: Error[] = [];
  /** Told of each hello. */
  const hellos: HelloOk[] = [];
  const client = new GatewayClient({
    ...{ url, token: TOKEN, minProtocol: 4, maxProtocol: 4 },
    onEvent: (event) => heard.add(event),
    onGap: (gap) => heard.gaps.push(gap),
    onClose: (code, reason) => heard.closes.push(`${code} ${reason}`),
    onConnectError: (error) => errors.push(error),
    onReconnectPaused: (info) => paused.resolve(info),
    onHelloOk: (ok) => {
      hellos.push(ok);
      hello.resolve(ok);
      heard.add({ type: "event", event: "test.hello", payload: { bootId: ok.server.bootId } });
    },
    ...(options as GatewayClientOptions),
  });
  client.start();
  onTestFinished(() => client.stopAndWait());
  return { client, heard, errors, hellos, hello: hello.promise, paused: paused.promise };
}

/** A device with a key of its own, and what Node's client needs to prove it. */
export function createDevice(): Device {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const rawOf = (pem: string) => createPublicKey(pem).export({ type: "spki", format: "der" }).subarray(-32);
  const publicKeyPem = publicKey.export({ type: "spki", format: "pem" }) as string;
  return {
    deviceIdentity: {
      deviceId: createHash("sha256").update(rawOf(publicKeyPem)).digest("hex"),
      privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
      publicKeyPem,
    },
    hostDeps: {
      signDevicePayload: (pem, payload) =>
        sign(null, Buffer.from(payload), createPrivateKey(pem)).toString("base64url"),
      publicKeyRawBase64UrlFromPem: (pem) => rawOf(pem).toString("base64url"),
    },
  };
}

/** The browser's client of the published package, over the WebSocket that browsers have, stopped when the test ends. */
export async function dialAsBrowser(url: string) {
  const heard = new Heard();
  const hello = Promise.withResolvers<HelloOk>();
  const client = new GatewayProtocolClient<undefined>({
    createSocket(handlers) {
      const socket = new WebSocket(url);
      socket.onopen = () => handlers.open();
      socket.onmessage = ({ data }) => handlers.message(String(data));
      socket.onclose = ({ code, reason }) => handlers.close(code, reason);
      socket.onerror = () => handlers.error(new Error("the socket failed"));
      return {
        isOpen: () => socket.readyState === WebSocket.OPEN,
        send: (data) => socket.send(data),
        close: (code, reason) => socket.close(code, reason),
      };
    },
    createRequestId: randomUUID,
    buildConnectPlan: () => undefined,
    buildConnectParams: () => connectParams({ token: TOKEN }),
    onHello: (ok) => hello.resolve(ok),
    onConnectFailure: (error) => {
      hello.reject(error);
      return { closeCode: 1000, closeReason: "", stop: true };
    },
    resolveClose: () => ({ retry: false, notify: false }),
    onEvent: (event) => heard.add(event),
    onGap: (gap) => heard.gaps.push(gap),
    handshake: { mode: "require-challenge", timeoutMs: 15_000 },
    reconnect: { initialMs: 1000, multiplier: 2, maxMs: 30_000 },
  });
  client.start();
  onTestFinished(() => client.stop());
  return { client, heard, hello: await hello.promise };
}
