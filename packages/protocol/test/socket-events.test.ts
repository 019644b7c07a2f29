import { describe, expect, test } from "vitest";
import {
  chatMessageSchema,
  connectParamsSchema,
  requestFrameSchema,
  responseFrameSchema,
  SOCKET_EVENTS,
  type SocketEventName,
} from "../src/socket/index.ts";

const message = { role: "assistant", content: [{ type: "text", text: "hi" }], timestamp: 1 };
const of = { runId: "1", sessionKey: "agent:main:main", seq: 1 };
const row = {
  key: "agent:main:main",
  kind: "direct",
  agentId: "main",
  isMain: true,
  updatedAt: null,
  hasActiveRun: false,
  activeRunIds: [],
};

describe("events", () => {
  const PAYLOADS: { [Name in SocketEventName]: object } = {
    "connect.challenge": { nonce: "n", ts: 1 },
    tick: { ts: 1 },
    shutdown: { reason: "gateway stopping" },
    chat: { ...of, state: "final", stopReason: "stop" },
    agent: { ...of, agentId: "main", sessionId: "s", stream: "lifecycle", data: { phase: "start" }, ts: 1 },
    "session.message": {
      sessionKey: "agent:main:main",
      sessionId: "s",
      agentId: "main",
      message,
      messageId: "m",
      messageSeq: 1,
      updatedAt: 1,
      session: row,
    },
    "sessions.changed": { sessionKey: "agent:main:main", agentId: "main", ts: 1, reason: "delete", session: null },
  };

  test.each(Object.entries(PAYLOADS))("%s has all of these members, and says whose it is not", (name, payload) => {
    const schema = SOCKET_EVENTS[name as SocketEventName];
    expect(schema.parse(payload)).toEqual(payload);
    for (const member of Object.keys(payload)) {
      if (name === "sessions.changed" && member === "reason") continue;
      const { [member]: _, ...rest } = payload as Record<string, unknown>;
      expect(schema.safeParse(rest).success, member).toBe(false);
    }
  });

  test.each([
    { state: "delta", deltaText: "", message },
    { state: "final", stopReason: "stop", message, usage: { input: 1, output: 2, totalTokens: 3 } },
    { state: "final", stopReason: "stop" },
    { state: "aborted", stopReason: "rpc", message },
    { state: "error", errorMessage: "no", errorKind: "timeout" },
  ])("a chat event may be $state", (what) => {
    expect(SOCKET_EVENTS.chat.parse({ ...of, owner: "ann", ...what })).toEqual({ ...of, owner: "ann", ...what });
  });

  test.each([
    { state: "delta", message },
    { state: "error", errorMessage: "no", errorKind: "bad mood" },
    { state: "over" },
    { state: "final", stopReason: "stop", seq: -1 },
  ])("a chat event is not %o", (what) => {
    expect(SOCKET_EVENTS.chat.safeParse({ ...of, ...what }).success).toBe(false);
  });

  test("blocks of a message that are not text keep what they have", () => {
    const content = [
      { type: "text", text: "" },
      { type: "toolCall", id: "c", name: "f", arguments: { a: 1 } },
    ];
    expect(chatMessageSchema.parse({ ...message, content }).content).toEqual(content);
  });
});

describe("frames", () => {
  test("a request is a closed object; its params may be anything", () => {
    const frame = { type: "req", id: "1", method: "health", traceparent: "00-…" };
    expect(requestFrameSchema.parse({ ...frame, params: null })).toEqual({ ...frame, params: null });
    for (const more of [{ more: 1 }, { id: "" }, { id: 1 }, { type: "res" }, { traceparent: "t".repeat(129) }]) {
      expect(requestFrameSchema.safeParse({ ...frame, ...more }).success, JSON.stringify(more)).toBe(false);
    }
  });

  test("an error of a response has a code and words", () => {
    const frame = { type: "res", id: "1", ok: false };
    const error = { code: "UNAVAILABLE", message: "later", retryable: true, retryAfterMs: 500 };
    expect(responseFrameSchema.parse({ ...frame, error })).toEqual({ ...frame, error });
    expect(responseFrameSchema.safeParse({ ...frame, error: { code: "UNAVAILABLE" } }).success).toBe(false);
    expect(responseFrameSchema.safeParse({ ...frame, error: { ...error, message: "" } }).success).toBe(false);
  });

  test("a client of any kind says hello; without wishes it gets none", () => {
    const least = {
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: "anything", version: "0", platform: "none", mode: "whatever" },
    };
    expect(connectParamsSchema.parse(least)).toEqual({ ...least, role: "operator", scopes: [], caps: [] });
    for (const member of ["id", "version", "platform", "mode"]) {
      const client = { ...least.client, [member]: undefined };
      expect(connectParamsSchema.safeParse({ ...least, client }).error?.issues[0]?.path).toEqual(["client", member]);
    }
  });
});
