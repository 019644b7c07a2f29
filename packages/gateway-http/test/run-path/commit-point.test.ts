import { expect, test } from "vitest";
import { GatewayError } from "../../src/index.ts";
import { stepper } from "../support/agents.ts";
import { ask, hi, openRaw, readStream } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const stream = hi({ stream: true });
const limited = () => new GatewayError("provider_rate_limited", "slow down", { retryAfter: 7 });

test("a failure before the first event is a plain error with its status and advice", async () => {
  const { agent, fail } = stepper();
  const gateway = await startGateway({ agents: [agent] });
  fail(limited());
  const { response, json } = await ask(gateway, stream);
  expect(response.status).toBe(429);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  expect(response.headers.get("retry-after")).toBe("7");
  expect(response.headers.get("x-should-retry")).toBe("true");
  expect(response.headers.get("x-openclaw-run-id")).toMatch(/^chatcmpl-/);
  expect(json).toEqual({
    error: { message: "slow down", type: "rate_limit_error", param: null, code: "provider_rate_limited" },
  });
});

test("after the first event it is an error frame, then [DONE]", async () => {
  const { agent, say, fail } = stepper();
  const gateway = await startGateway({ agents: [agent] });
  say("a");
  fail(limited());
  const response = await gateway.request("/v1/chat/completions", { body: stream });
  expect(response.status).toBe(200);
  const { text, error } = await readStream(response);
  expect(text).toBe("a");
  expect(error).toEqual({ message: "slow down", type: "rate_limit_error", param: null, code: "provider_rate_limited" });
});

test("after commitAfterMs of silence the head is out, and a failure is a frame", async () => {
  const { agent, fail } = stepper();
  const gateway = await startGateway({ agents: [agent], config: { gateway: { http: { commitAfterMs: 20 } } } });
  const response = await gateway.request("/v1/chat/completions", { body: stream });
  expect(response.status).toBe(200);
  fail(limited());
  const { chunks, error } = await readStream(response);
  expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([{ role: "assistant", content: "" }]);
  expect(error?.code).toBe("provider_rate_limited");
});

test("the head goes out with the agent's first event, however long commitAfterMs is", async () => {
  const { agent, say, end } = stepper();
  const gateway = await startGateway({ agents: [agent], config: { gateway: { http: { commitAfterMs: 600_000 } } } });
  say("a");
  const response = await gateway.request("/v1/chat/completions", { body: stream });
  end();
  expect((await readStream(response)).text).toBe("a");
});

test("what is no text commits, too", async () => {
  const { agent, say, fail } = stepper();
  const gateway = await startGateway({ agents: [agent], config: { gateway: { http: { commitAfterMs: 600_000 } } } });
  say({ type: "reasoning-delta", text: "hm" });
  const response = await gateway.request("/v1/chat/completions", { body: stream });
  fail(limited());
  expect((await readStream(response)).error?.code).toBe("provider_rate_limited");
});

test("commitAfterMs 0 sends the head at once, keep-alives begin with it", async () => {
  const { agent, end } = stepper();
  const http = { commitAfterMs: 0, keepAliveMs: 20 };
  const gateway = await startGateway({ agents: [agent], config: { gateway: { http } } });
  const response = await openRaw(gateway, stream).response;
  expect(response.statusCode).toBe(200);
  let raw = "";
  for await (const piece of response) {
    raw += piece;
    if (raw.includes(": keep-alive")) end();
  }
  expect(raw).toContain("[DONE]");
});

test("once a tool has started, no error says try again", async () => {
  const { agent, say, fail } = stepper();
  const gateway = await startGateway({ agents: [agent] });
  say({ type: "tool-start", id: "t", name: "pay" });
  fail(limited());
  const { response } = await ask(gateway);
  expect([response.status, response.headers.get("x-should-retry")]).toEqual([429, "false"]);
});
