import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeSessionKey, readSessionKeyHeader, resolveSession } from "../../src/sessions/session-key.ts";

const ID = "00000000-0000-4000-8000-000000000000";
const KEY = "x-openclaw-session-key";

interface Sent {
  key?: string;
  chatId?: string;
  user?: string;
  isSideTask?: boolean;
}

/** The session of a request to agent `main` that sent these. */
const resolve = ({ key, chatId, user, isSideTask = false }: Sent) =>
  resolveSession({
    agentId: "main",
    chosen: readSessionKeyHeader(key),
    chatId: chatId === undefined ? undefined : { header: "x-openwebui-chat-id", value: chatId },
    user,
    isSideTask,
    createId: () => ID,
  });

const STATELESS = `agent:main:openai:${ID}`;

const ROWS: [title: string, sent: Sent, key: string][] = [
  ["nothing", {}, STATELESS],
  ["a bare key", { key: "diary" }, "agent:main:diary"],
  ["a full key", { key: "agent:main:diary" }, "agent:main:diary"],
  ["a full key of an agent in capitals", { key: "agent:MAIN:diary" }, "agent:MAIN:diary"],
  ["a key in capitals", { key: "Diary" }, "agent:main:Diary"],
  ["a key with spaces around it", { key: "  diary " }, "agent:main:diary"],
  ["a key with colons", { key: "a:b:c" }, "agent:main:a:b:c"],
  ["a key that is percent-encoded", { key: "caf%C3%A9%20%E6%BC%A2" }, "agent:main:café 漢"],
  ["a key whose colons are encoded", { key: "agent%3Amain%3Adiary" }, "agent:main:diary"],
  ["a key of raw UTF-8 bytes", { key: Buffer.from("café").toString("latin1") }, "agent:main:café"],
  ["an empty key", { key: "" }, STATELESS],
  ["a blank key", { key: " %20 " }, STATELESS],
  ["a key that only begins like a reserved one", { key: "cronicle" }, "agent:main:cronicle"],
  ["a key with a reserved name further in", { key: "my:cron:job" }, "agent:main:my:cron:job"],
  ["a user", { user: "ann" }, "agent:main:openai-user:ann"],
  ["a user in any script", { user: "Жанна 漢字 😀" }, "agent:main:openai-user:Жанна 漢字 😀"],
  ["a user that is no encoding", { user: "100%" }, "agent:main:openai-user:100%"],
  ["a user with a reserved name", { user: "cron:x" }, "agent:main:openai-user:cron:x"],
  ["an empty user", { user: "" }, STATELESS],
  ["a chat id", { chatId: "c-1" }, "agent:main:openai-chat:c-1"],
  ["a key, a chat id and a user", { key: "k", chatId: "c", user: "u" }, "agent:main:k"],
  ["a chat id and a user", { chatId: "c", user: "u" }, "agent:main:openai-chat:c"],
  ["a side task of a chat", { chatId: "c", user: "u", isSideTask: true }, STATELESS],
  ["a chat that is not to be remembered", { chatId: "temporary:c", user: "u" }, STATELESS],
  ["the same, of older versions", { chatId: "local:c", user: "u" }, STATELESS],
  ["the longest key", { key: "x".repeat(512 - "agent:main:".length) }, `agent:main:${"x".repeat(501)}`],
];

for (const [title, sent, key] of ROWS) {
  test(`${title}: ${key.length > 60 ? `${key.slice(0, 20)}…` : key}`, () => {
    expect(resolve(sent)).toEqual({ key, isChat: key.includes(":openai-chat:"), stateless: key === STATELESS });
  });
}

const REFUSED: [title: string, sent: Sent, param: string][] = [
  ["agent:x", { key: "agent:x" }, KEY],
  ["agent:", { key: "agent:" }, KEY],
  ["agent::y", { key: "agent::y" }, KEY],
  ["agent:x: with nothing after it", { key: "agent:x:" }, KEY],
  ["an agent id that can be none", { key: "agent:a b:y" }, KEY],
  ["the agent default", { key: "agent:default:y" }, KEY],
  ["subagent:", { key: "subagent:x" }, KEY],
  ["cron:", { key: "cron:x" }, KEY],
  ["acp:", { key: "acp:x" }, KEY],
  ["CRON:", { key: "CRON:x" }, KEY],
  ["cron: that is encoded", { key: "%63ron%3Ax" }, KEY],
  ["cron: after an agent", { key: "agent:main:cron:x" }, KEY],
  ["subagent: after another agent", { key: "agent:beta:SubAgent:x" }, KEY],
  ["cron: after an empty agent", { key: "agent::cron:x" }, KEY],
  ["broken percent-encoding", { key: "100%" }, KEY],
  ["percent-encoding that is no UTF-8", { key: "%FF" }, KEY],
  ["bytes that are no UTF-8", { key: "caf\u00e9" }, KEY],
  ["an encoded half of a pair", { key: "%ED%A0%80" }, KEY],
  ["an encoded line end", { key: "a%0Ab" }, KEY],
  ["an encoded NUL", { key: "a%00b" }, KEY],
  ["a C1 control character", { key: "a%C2%85b" }, KEY],
  ["a key that is too long", { key: "x".repeat(502) }, KEY],
  ["a user that is too long", { user: "x".repeat(500) }, "user"],
  ["a user with a control character", { user: "a\u0007b" }, "user"],
  ["a user with half a pair", { user: "a\ud800" }, "user"],
  ["a chat id that is too long", { chatId: "x".repeat(500) }, "x-openwebui-chat-id"],
];

for (const [title, sent, param] of REFUSED) {
  test(`refused: ${title}`, () => {
    expect(() => resolve(sent)).toThrow(expect.objectContaining({ code: "invalid_session_key", status: 400, param }));
  });
}

test("a full key names its agent, lower-cased; a bare one names none", () => {
  expect(readSessionKeyHeader("agent:Beta:x")?.agentId).toBe("beta");
  expect(readSessionKeyHeader("x")?.agentId).toBeUndefined();
});

test("every key there can be comes back from its header form, which is plain ASCII", () => {
  const unit = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(unit, (user) => {
      const { key } = resolve({ user: user.replace(/\p{Cc}/gu, "_") });
      const header = encodeSessionKey(key);
      expect(header).toMatch(/^[\x21-\x7e]+$/);
      expect(readSessionKeyHeader(header)?.key).toBe(key.trim());
    }),
  );
});
