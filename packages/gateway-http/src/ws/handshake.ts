import { randomUUID } from "node:crypto";
import { SOCKET_CLOSE, SOCKET_LIMITS, SOCKET_PROTOCOL } from "@openclaw/protocol";
import {
  type ConnectParams,
  connectParamsSchema,
  type HelloOk,
  type RequestFrame,
  requestFrameSchema,
} from "@openclaw/protocol/socket";
import type { WebSocket } from "ws";
import type { Attempt } from "../auth/attempt.ts";
import type { Authenticator } from "../auth/authenticate.ts";
import type { Caller } from "../auth/caller.ts";
import type { Credentials } from "../auth/credentials.ts";
import type { Peer } from "../auth/peer.ts";
import { badProof, ConnectError, checkProtocol, foreignPage, refuseConnect, toConnectError } from "./connect-error.ts";
import { describeIssue } from "./describe-issue.ts";
import { findProofFault } from "./device-proof.ts";
import { parseFrame } from "./parse-frame.ts";
import { grantScopes } from "./scopes.ts";
import { invalid, toSocketError } from "./socket-error.ts";

/** Bytes of a close frame's reason (RFC 6455 §5.5). */
const MAX_REASON = 123;

export interface HandshakeOptions {
  authenticator: Authenticator;
  authMode(): Credentials["mode"];
  /** @throws GatewayError when there is no room for another connection of this caller's */
  requireRoom(caller: Caller): void;
  /** What a client is told of the gateway. */
  hello(connId: string, caller: Caller): Omit<HelloOk, "type" | "protocol" | "auth">;
}

/** A client that was let in. */
export interface Guest {
  readonly id: string;
  readonly caller: Caller;
  readonly scopes: ReadonlySet<string>;
  readonly caps: readonly string[];
  /** By which it was let in, to look again. */
  readonly attempt: Attempt;
  /** The answer to its `connect`. */
  readonly answer: { readonly id: string; readonly payload: HelloOk };
}

/** A handshake under way: the challenge has been sent. */
export interface Handshake {
  /**
   * Takes the first frame. Closes the socket when it is no good, after saying why.
   * @returns the client; `undefined` when it was not let in, or has left
   * @throws what was nobody's intention, after the same
   */
  take(frame: string): Promise<Guest | undefined>;
}

/** Begins to talk to whoever has connected. */
export function shakeHands(socket: WebSocket, peer: Peer, options: HandshakeOptions): Handshake {
  const nonce = randomUUID();
  const late = setTimeout(() => socket.close(SOCKET_CLOSE.normal), SOCKET_LIMITS.handshakeTimeoutMs);
  socket.once("close", () => clearTimeout(late));
  send(socket, { type: "event", event: "connect.challenge", payload: { nonce, ts: Date.now() } });

  async function take(frame: string): Promise<Guest | undefined> {
    let id: string | undefined;
    try {
      const request = readRequest(frame);
      id = request.id;
      const params = readParams(request);
      const attempt = toAttempt(peer, params, options.authMode());
      const caller = await admit(params, attempt);
      // It left while it had to wait.
      if (socket.readyState !== socket.OPEN) return undefined;
      clearTimeout(late);
      return toGuest(id, params, caller, attempt);
    } catch (error) {
      refuse(id, error);
      return undefined;
    }
  }

  /** @throws ConnectError */
  async function admit(params: ConnectParams, attempt: Attempt): Promise<Caller> {
    if (params.role !== "operator") throw refuseConnect("invalid role");
    checkProtocol(params);
    if (peer.isForeignPage()) throw foreignPage();
    try {
      const caller = await options.authenticator.authenticate(attempt);
      const fault = findProofFault(params, nonce, Date.now());
      if (fault) throw badProof(fault);
      options.requireRoom(caller);
      return caller;
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      throw toConnectError(error, options.authMode(), params.auth?.deviceToken !== undefined);
    }
  }

  function toGuest(answerId: string, { scopes: wanted, caps, role }: ConnectParams, caller: Caller, attempt: Attempt) {
    const id = randomUUID();
    const scopes = grantScopes(wanted, caller);
    const auth = { role, scopes: [...scopes] };
    const payload: HelloOk = { type: "hello-ok", protocol: SOCKET_PROTOCOL, ...options.hello(id, caller), auth };
    return { id, caller, scopes, caps, attempt, answer: { id: answerId, payload } };
  }

  function refuse(id: string | undefined, error: unknown): void {
    const isIntended = error instanceof ConnectError;
    const refusal = isIntended ? error : new ConnectError(toSocketError(error), SOCKET_CLOSE.tryAgain);
    if (id !== undefined) send(socket, { type: "res", id, ok: false, error: refusal.error.toBody() });
    socket.close(refusal.closeCode, toReason(refusal.closeReason));
    if (!isIntended) throw error;
  }

  return { take };
}

function readRequest(text: string): RequestFrame {
  const frame = parseFrame(text);
  if (frame === undefined) throw new ConnectError(invalid("not JSON"), SOCKET_CLOSE.normal, "");
  const { data } = requestFrameSchema.safeParse(frame);
  if (!data) throw refuseConnect("invalid request frame");
  return data;
}

/** @throws ConnectError */
function readParams({ method, params }: RequestFrame): ConnectParams {
  if (method !== "connect") throw refuseConnect("invalid handshake: first request must be connect");
  const { data, error } = connectParamsSchema.safeParse(params);
  if (!data) throw refuseConnect(`invalid connect params: ${describeIssue(error)}`);
  return data;
}

/** A shared secret may stand in either member: clients differ in which they fill for what a person typed. */
function toAttempt(peer: Peer, { auth }: ConnectParams, mode: Credentials["mode"]): Attempt {
  const { isForeignPage, ...from } = peer;
  const [first, second] = mode === "password" ? [auth?.password, auth?.token] : [auth?.token, auth?.password];
  const secret = first?.trim() || second?.trim();
  return { ...from, authorization: secret ? `Bearer ${secret}` : undefined };
}

function send(socket: WebSocket, frame: object): void {
  socket.send(JSON.stringify(frame));
}

function toReason(message: string): string {
  let reason = message;
  while (Buffer.byteLength(reason) > MAX_REASON) reason = reason.slice(0, -1);
  return reason;
}
