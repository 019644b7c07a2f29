import type { LoadedConfig } from "../config/load.ts";
import type { Scope } from "../config/schema-auth.ts";
import { OtherCertificateError } from "./ask-gateway.ts";
import { type FoundGateway, findGateway, toFinding } from "./find-gateway.ts";
import type { SocketClient } from "./socket-client.ts";
import { ConnectionLostError, NotUnderstoodError, RefusedError } from "./socket-errors.ts";
import type { Finding } from "./status-text.ts";

/** Of an operator's own key: to run a turn, and to delete its session. That of somebody else is not taken. */
const SCOPES: readonly Scope[] = ["admin", "chat", "sessions"];

/** A gateway that lets this user in. */
export interface ConnectedGateway {
  readonly url: string;
  readonly client: SocketClient;
  /** Connects once more, to what is a gateway still. Rejects when that does not work. */
  again(signal: AbortSignal): Promise<SocketClient>;
}

/** Why there is none; without a message nothing is wrong: nobody is there. */
export interface NoGateway {
  readonly url: string;
  readonly message: string | undefined;
}

/**
 * Connects to the gateway of this config, if it runs and knows this user. Never rejects.
 *
 * @param signal ends the attempt
 */
export async function connectGateway(loaded: LoadedConfig, signal: AbortSignal): Promise<ConnectedGateway | NoGateway> {
  const found = await findGateway(loaded, { scopes: SCOPES, signal });
  if (!("door" in found)) return { url: found.url, message: EXPECTED.has(found.state) ? undefined : found.message };
  const { url, door, credential, state } = found;
  const message = whyNot(found);
  if (message !== undefined || !credential) return { url, message };
  // 10 ms, and the schemas of the socket: for those who have a gateway.
  const { connectSocket } = await import("./connect-socket.ts");
  const { token } = credential;
  async function again(until: AbortSignal): Promise<SocketClient> {
    // Somebody else may listen there by now, and its certificate be another one.
    const next = await findGateway(loaded, { scopes: SCOPES, signal: until });
    if (!("door" in next)) throw new Error(next.message);
    return connectSocket(next.door, { token, signal: until });
  }
  try {
    return { url, client: await connectSocket(door, { token, signal }), again };
  } catch (error) {
    if (error instanceof OtherCertificateError) return { url, message: OTHER_CERTIFICATE };
    if (signal.aborted) return { url, message: toFinding(error, signal).message };
    if (error instanceof RefusedError || error instanceof NotUnderstoodError) return { url, message: error.message };
    if (error instanceof ConnectionLostError) return { url, message: `It is ${state}, but opens no WebSocket.` };
    return { url, message: toFinding(error, signal).message };
  }
}

/** Nobody is there, or nobody can know. */
const EXPECTED: ReadonlySet<Finding["state"]> = new Set(["stopped", "unknown"]);
const OTHER_CERTIFICATE =
  "Whoever answers there has another certificate than gateway.tls.certPath has now, or that cannot be read. It was " +
  "told nothing.";

function whyNot({ state, credential }: FoundGateway): string | undefined {
  if (state !== "ready") return state === "starting" ? "It has not started yet." : "It is shutting down.";
  return credential ? undefined : "There is no token for it here: --token TEXT, or OPENCLAW_GATEWAY_TOKEN.";
}
