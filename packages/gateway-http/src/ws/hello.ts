import { randomUUID } from "node:crypto";
import { SOCKET_LIMITS } from "@openclaw/protocol";
import { SOCKET_EVENTS, SOCKET_METHODS } from "@openclaw/protocol/socket";
import type { AgentRegistry } from "../agents/registry.ts";
import type { Credentials } from "../auth/credentials.ts";
import { VERSION } from "../version.ts";
import { defaultAgentIdOf } from "./default-agent.ts";
import type { HandshakeOptions } from "./handshake.ts";
import { MAIN_KEY, mainKeyOf } from "./session-ref.ts";

export interface HelloOptions {
  current(): { readonly agents: AgentRegistry };
  authMode(): Credentials["mode"];
}

/** Makes what clients are told of the gateway. */
export function createHello({ current, authMode }: HelloOptions): HandshakeOptions["hello"] {
  const bootId = randomUUID();
  const startedAt = performance.now();
  return (connId, caller) => {
    const defaultAgentId = defaultAgentIdOf(caller, current().agents);
    return {
      server: { version: VERSION, connId, bootId },
      features: { methods: Object.keys(SOCKET_METHODS), events: Object.keys(SOCKET_EVENTS) },
      snapshot: {
        presence: [],
        health: { ok: true as const, ts: Date.now() },
        stateVersion: { presence: 0, health: 0 },
        uptimeMs: Math.round(performance.now() - startedAt),
        sessionDefaults: {
          defaultAgentId,
          mainKey: MAIN_KEY,
          mainSessionKey: mainKeyOf(defaultAgentId),
          scope: "per-sender" as const,
        },
        authMode: authMode(),
      },
      policy: {
        maxPayload: SOCKET_LIMITS.maxPayload,
        maxBufferedBytes: SOCKET_LIMITS.maxBufferedBytes,
        tickIntervalMs: SOCKET_LIMITS.tickIntervalMs,
      },
    };
  };
}
