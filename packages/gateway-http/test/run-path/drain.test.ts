import { expect, test } from "vitest";
import { stepper } from "../support/agents.ts";
import { ask, hi, readStream } from "../support/chat.ts";
import { startGateway } from "../support/start-gateway.ts";

const stream = hi({ stream: true });

test("closing waits for a stream under way, and takes no new run", async () => {
  const { agent, say, end } = stepper();
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  say("a");
  const running = await door.request("/v1/chat/completions", { body: stream });
  const closed = gateway.close();
  for (const body of [stream, hi()]) {
    const { response, json } = await ask(door, body);
    expect([response.status, json.error.type, json.error.code]).toEqual([
      503,
      "service_unavailable",
      "gateway_draining",
    ]);
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(response.headers.get("x-should-retry")).toBe("true");
  }
  expect((await door.request("/ready")).status).toBe(503);
  expect((await door.request("/health")).status).toBe(200);
  say("b");
  end();
  const { text, finishReason } = await readStream(running);
  expect([text, finishReason]).toEqual(["ab", "stop"]);
  await closed;
  await expect(door.request("/health")).rejects.toThrow();
});

test("closing waits for an answer that is not streamed", async () => {
  const { agent, started, say, end } = stepper();
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  const answer = ask(door);
  await started;
  const closed = gateway.close();
  say("a");
  end();
  expect((await answer).text).toBe("a");
  await closed;
});

test("past the time it was given a stream ends with an error frame and [DONE]", async () => {
  const { agent, say, aborted } = stepper();
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  say("a");
  const running = await door.request("/v1/chat/completions", { body: stream });
  const closed = gateway.close({ drainTimeoutMs: 20 });
  const { text, error } = await readStream(running);
  expect([text, error?.code]).toEqual(["a", "gateway_draining"]);
  expect(await aborted).toMatchObject({ code: "gateway_draining" });
  await closed;
});

test("past the time it was given a request without an answer is told 503", async () => {
  const { agent, started } = stepper();
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  const answers = [ask(door), ask(door, stream)];
  await started;
  await expect.poll(() => gateway.runs.active).toBe(2);
  const closed = gateway.close({ drainTimeoutMs: 20 });
  for (const answer of answers) expect(await answer).toMatchObject({ status: 503 });
  await closed;
});

test("closing twice, or before listening, is fine", async () => {
  const { gateway } = await startGateway({ agents: [stepper().agent] });
  await Promise.all([gateway.close(), gateway.close()]);
  await gateway.close();
});
