import { expect, test } from "vitest";
import { agentOf } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { startDocumented } from "./openapi.ts";

const CHAT = "/v1/chat/completions";
const CALL = { id: "call_1", type: "function", function: { name: "sum", arguments: "{}" } };
const SUM = { type: "function", function: { name: "sum", parameters: { type: "object" } } };

/** An agent that says what there is to say: thoughts, words, usage, and when it is asked to, a call or a refusal. */
const talker = agentOf(
  async function* ({ messages }) {
    const asked = messages.at(-1)?.content;
    yield { type: "reasoning-delta", text: "Hm." };
    if (asked === "wait") await new Promise(() => {});
    if (asked === "call") {
      yield { type: "tool-call-start", index: 0, id: "call_1", name: "sum" };
      yield { type: "tool-call-delta", index: 0, arguments: "{}" };
    } else if (asked === "refuse") {
      yield { type: "refusal-delta", text: "No." };
    } else yield "hello";
    yield {
      type: "usage",
      usage: {
        prompt_tokens: 5,
        completion_tokens: 2,
        total_tokens: 7,
        prompt_tokens_details: { cached_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 1 },
      },
    };
  },
  { name: "Main", description: "Talks.", contextWindow: 1000, exposeReasoning: "reasoning_content" },
);

test("every operation answers as it is documented to, each way that is no error", async () => {
  const { document, call, seen } = await startDocumented({ agents: [talker] });
  const session = { "x-openclaw-session-key": "trip" };
  const key = "/v1/sessions/agent:main:trip";

  // Chat
  const first = await call(200, "POST", CHAT, hi(), session);
  expect(first.json.choices[0].message.reasoning_content).toBe("Hm.");
  expect(first.json.usage.openclaw.calls).toBe(1);
  const keyed = { "idempotency-key": "k" };
  const streamed = await call(200, "POST", CHAT, hi({ stream: true }), keyed);
  const last = [...streamed.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? "";
  const replay = await call(204, "POST", CHAT, hi({ stream: true }), { ...keyed, "last-event-id": last });
  expect(replay.headers.get("idempotency-replayed")).toBe("true");

  // Stored completions
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "sum" }], name: "ann" },
    { role: "assistant", content: null, refusal: null, audio: null, reasoning_content: "Hm.", tool_calls: [CALL] },
    { role: "tool", content: "5", tool_call_id: "call_1" },
    { role: "user", content: "call" },
  ];
  const more = {
    metadata: { topic: "trip" },
    user: "ann",
    seed: 1,
    temperature: 0.5,
    response_format: { type: "text" },
  };
  const stored = await call(200, "POST", CHAT, { ...hi(), messages, tools: [SUM], store: true, ...more });
  expect(stored.json.choices[0].message.tool_calls).toEqual([CALL]);
  const completion = `${CHAT}/${stored.json.id}`;
  expect((await call(200, "GET", `${CHAT}?metadata[topic]=trip&order=asc`)).json.data).toHaveLength(1);
  await call(200, "GET", completion);
  await call(200, "POST", completion, { metadata: { topic: "work" } });
  expect((await call(200, "GET", `${completion}/messages`)).json.data).toHaveLength(5);
  expect((await call(200, "POST", `${completion}/cancel`)).json.cancelled).toBe(false);
  await call(200, "DELETE", completion);
  await call(200, "POST", CHAT, hi({ messages: [{ role: "user", content: "refuse" }] }));

  // Models
  await call(200, "GET", "/v1/models");
  expect((await call(200, "GET", "/v1/models/openclaw/main")).json.context_window).toBe(1000);

  // Sessions
  await call(200, "POST", CHAT, { ...hi(), messages: [{ role: "user", content: "again" }] }, session);
  expect((await call(200, "GET", "/v1/sessions?search=trip")).json.data).toHaveLength(1);
  await call(200, "GET", key);
  await call(200, "PATCH", key, { title: "A trip" });
  const said = await call(200, "GET", `${key}/messages`);
  expect(said.json.data).toHaveLength(4);
  await call(200, "GET", `${key}/branches`);
  await call(200, "POST", `${key}/head`, { id: said.json.data[1].id });
  const fork = await call(201, "POST", `${key}/fork`, { key: "other" });
  expect(fork.json.id).toBe("agent:main:other");
  expect((await call(200, "POST", `${key}/abort`)).json.aborted).toBeNull();
  await call(200, "DELETE", key);

  // The gateway
  for (const path of ["/health", "/healthz", "/ready", "/readyz", "/status", "/metrics"]) await call(200, "GET", path);
  const { headers } = await call(200, "GET", "/openapi.json");
  await call(304, "GET", "/openapi.json", undefined, { "if-none-match": headers.get("etag") ?? "" });

  const documented = Object.values(document.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ operationId, responses }) => Object.keys(responses).map((status) => `${operationId} ${status}`))
    .filter((each) => / [23]\d\d$/.test(each));
  expect([...seen].sort()).toEqual(documented.sort());
});

test("a run under way is shown, cancelled and ended as documented", async () => {
  const { call, gateway } = await startDocumented({ agents: [talker] });
  const waiting = hi({ messages: [{ role: "user", content: "wait" }], stream: true });
  const answers = ["one", "two"].map(async (key) => {
    const { text } = await call(200, "POST", CHAT, waiting, { "x-openclaw-session-key": key });
    expect(text).toContain('"code":"run_aborted"');
  });
  await expect.poll(() => gateway.runs.active).toBe(2);
  const { json } = await call(200, "GET", "/v1/sessions/agent:main:one");
  expect((await call(200, "POST", `${CHAT}/${json.active_run}/cancel`)).json.cancelled).toBe(true);
  expect((await call(200, "POST", "/v1/sessions/agent:main:two/abort")).json.aborted).toMatch(/^chatcmpl-/);
  await Promise.all(answers);
});
