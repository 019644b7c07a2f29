import { expect, test } from "vitest";
import { SOCKET_SCOPES } from "../src/index.ts";
import { SOCKET_METHODS, type SocketMethodName, type SocketParams } from "../src/socket/index.ts";

/** The least that each method can be asked with. */
const LEAST: { [Name in SocketMethodName]: SocketParams<Name> } = {
  health: {},
  status: {},
  "system-presence": {},
  "config.get": {},
  "agents.list": {},
  "agent.identity.get": {},
  "models.list": {},
  "commands.list": {},
  "question.list": {},
  "plugin.approval.list": {},
  "sessions.subscribe": {},
  "sessions.messages.subscribe": { key: "main" },
  "sessions.messages.unsubscribe": { key: "main" },
  "sessions.list": {},
  "sessions.describe": { key: "main" },
  "sessions.resolve": {},
  "sessions.create": {},
  "sessions.patch": { key: "main" },
  "sessions.reset": { key: "main" },
  "sessions.delete": { key: "main" },
  "sessions.abort": {},
  "chat.history": { sessionKey: "main" },
  "chat.send": { sessionKey: "main", message: "", idempotencyKey: "1" },
  "chat.abort": { sessionKey: "main" },
  "chat.inject": { sessionKey: "main", message: "hi" },
  agent: { message: "hi", idempotencyKey: "1" },
  "agent.wait": { runId: "1" },
};
const METHODS = Object.keys(LEAST) as SocketMethodName[];

test.each(METHODS)("%s: its scope is one that can be granted", (name) => {
  expect([null, ...SOCKET_SCOPES]).toContain(SOCKET_METHODS[name].scope);
});

test("what changes something is not there for whoever may only read", () => {
  const changing = METHODS.filter((name) => /send|abort|inject|create|patch|reset|delete|^agent$/.test(name));
  const scopes = new Set(changing.map((name) => SOCKET_METHODS[name].scope));
  expect(changing).toHaveLength(9);
  expect([...scopes].sort()).toEqual(["operator.admin", "operator.write"]);
});

test.each(METHODS)("%s: takes the least, passes over what it does not know, and wants nothing less", (name) => {
  const { params } = SOCKET_METHODS[name];
  const least: Record<string, unknown> = LEAST[name];
  expect(params.parse({ ...least, toBeKnownLater: { some: ["thing"] } })).toEqual(least);
  for (const member of Object.keys(least)) {
    const { [member]: _, ...rest } = least;
    expect(params.safeParse(rest).error?.issues[0]?.path).toEqual([member]);
    expect(params.safeParse({ ...least, [member]: 1 }).error?.issues[0]?.path).toEqual([member]);
  }
  expect(params.safeParse(["a list"]).success).toBe(false);
});

test.each<[SocketMethodName, object, string]>([
  ["sessions.list", { limit: 0 }, "limit"],
  ["sessions.list", { offset: -1 }, "offset"],
  ["chat.history", { sessionKey: "main", limit: 1001 }, "limit"],
  ["chat.history", { sessionKey: "k".repeat(513) }, "sessionKey"],
  ["chat.history", { sessionKey: "" }, "sessionKey"],
  ["chat.send", { sessionKey: "main", message: "hi", idempotencyKey: "" }, "idempotencyKey"],
  ["chat.send", { sessionKey: "main", message: "hi", idempotencyKey: "k".repeat(257) }, "idempotencyKey"],
  ["chat.send", { sessionKey: "main", message: "hi", idempotencyKey: "1", timeoutMs: 0.5 }, "timeoutMs"],
  ["agent", { message: "", idempotencyKey: "1" }, "message"],
  ["agent.wait", { runId: "1", timeoutMs: -1 }, "timeoutMs"],
  ["sessions.patch", { key: "main", label: "l".repeat(201) }, "label"],
  ["sessions.reset", { key: "main", reason: "because" }, "reason"],
  ["models.list", { view: "some" }, "view"],
])("%s is not asked with %o", (name, given, member) => {
  expect(SOCKET_METHODS[name].params.safeParse(given).error?.issues.map(({ path }) => path[0])).toEqual([member]);
});

test("null takes a session's settings away", () => {
  const nothing = { key: "main", label: null, model: null, thinkingLevel: null };
  expect(SOCKET_METHODS["sessions.patch"].params.parse(nothing)).toEqual(nothing);
});
