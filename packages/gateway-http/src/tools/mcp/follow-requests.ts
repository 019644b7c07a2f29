import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";

/** How long a server may take over the news that a request is cancelled. */
const CANCEL_MS = 5000;
/** Of the codes that JSON-RPC leaves to implementations. */
const BROKE_OFF = { code: -32000, message: "The answer broke off." };

type RequestId = string | number;

export interface FollowedRequests {
  /** Requests that wait for their answer. */
  readonly active: number;
}

/**
 * Ends what the SDK leaves open: the connection of a request that was cancelled, with protocols before 2026, and the
 * wait for an answer whose stream ended without it. To be called before the transport is connected.
 */
export function followRequests(transport: StreamableHTTPClientTransport): FollowedRequests {
  const waiting = new Map<RequestId, AbortController>();
  const send = transport.send.bind(transport);

  transport.onmessage = (message) => {
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) waiting.delete(message.id ?? "");
  };

  transport.send = (message, options) => {
    const cancelled = toCancelled(message);
    if (cancelled !== undefined) return cancel(cancelled, () => send(message, { ...options, ...briefly() }));
    // Those with other ids are the SDK's own, and ended by it.
    if (!isJSONRPCRequest(message) || typeof message.id !== "number") return send(message, options);
    const { id } = message;
    const controller = new AbortController();
    waiting.set(id, controller);
    options?.requestSignal?.addEventListener("abort", () => waiting.delete(id), { once: true });
    const followed = { requestSignal: controller.signal, onRequestStreamEnd: () => breakOff(id), ...defined(options) };
    return send(message, followed).catch((error) => {
      waiting.delete(id);
      throw error;
    });
  };

  function breakOff(id: RequestId): void {
    if (waiting.has(id)) transport.onmessage?.({ jsonrpc: "2.0", id, error: BROKE_OFF });
  }

  async function cancel(id: RequestId, tell: () => Promise<void>): Promise<void> {
    try {
      await tell();
    } finally {
      waiting.get(id)?.abort();
      waiting.delete(id);
    }
  }

  return {
    get active() {
      return waiting.size;
    },
  };
}

const briefly = () => ({ requestSignal: AbortSignal.timeout(CANCEL_MS) });

function toCancelled(message: JSONRPCMessage | JSONRPCMessage[]): RequestId | undefined {
  if (Array.isArray(message) || !("method" in message) || message.method !== "notifications/cancelled")
    return undefined;
  const id = message.params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

/** What of it says something: the SDK gives options that are `undefined`. */
function defined<T extends object>(options: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}
