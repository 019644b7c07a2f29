import { SOCKET_LIMITS, SOCKET_PROTOCOL } from "@openclaw/protocol/wire";
import { createAttempt } from "../attempt.ts";
import { ConnectionError } from "../errors.ts";
import { toCredential } from "../options.ts";
import { type SocketOptions, toClientInfo } from "./options.ts";

/**
 * What a connection begins with.
 *
 * @param signal - Ends the wait for the token.
 * @throws OpenClawError when the token cannot be sent
 * @throws ConnectionError when it cannot be had now
 */
export async function toConnectParams(options: SocketOptions, signal: AbortSignal): Promise<object> {
  const { scopes = ["operator.read", "operator.write"], caps = ["tool-events"], client } = options;
  const token = typeof options.token === "function" ? await askForToken(options.token, signal) : options.token;
  const credential = token === undefined ? undefined : toCredential(token);
  return {
    minProtocol: SOCKET_PROTOCOL,
    maxProtocol: SOCKET_PROTOCOL,
    client: toClientInfo(client),
    caps,
    role: "operator",
    scopes,
    // Which of the two it is, the gateway's settings say.
    auth: credential && { token: credential, password: credential },
  };
}

/** @throws ConnectionError when it cannot be had now: with a server that is not reached, as with the gateway itself */
async function askForToken(getToken: () => string | Promise<string>, signal: AbortSignal): Promise<string> {
  const attempt = createAttempt(signal, SOCKET_LIMITS.handshakeTimeoutMs, "token");
  try {
    return await attempt.until(async () => getToken());
  } catch (cause) {
    throw new ConnectionError("`token` gave none.", { cause });
  } finally {
    attempt.release();
  }
}
