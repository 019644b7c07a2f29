import { expect, test } from "vitest";
import type { GatewayError, GatewayOptions } from "../../src/index.ts";
import { agentOf, stepper } from "../support/agents.ts";
import { hi, openRaw } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { startGateway } from "../support/start-gateway.ts";

const gone = expect.objectContaining({ code: "run_aborted" } satisfies Partial<GatewayError>);

for (const stream of [true, false]) {
  const kind = stream ? "streamed" : "not streamed";

  test(`a client that leaves aborts its run, ${kind}`, async () => {
    const { agent, started, aborted } = stepper();
    const client = openRaw(await startGateway({ agents: [agent] }), hi({ stream }));
    await started;
    client.kill();
    expect(await aborted).toEqual(gone);
  });

  test(`a client that leaves closes the provider's connection before its head, ${kind}`, async () => {
    const { provider, ...gateway } = await startWithProvider();
    const client = openRaw(gateway, hi({ stream }));
    const exchange = await provider.next();
    client.kill();
    expect(await exchange.closed).toEqual({ early: true });
  });

  test(`a client that leaves closes the provider's connection in mid-answer, ${kind}`, async () => {
    const { provider, ...gateway } = await startWithProvider();
    const client = openRaw(gateway, hi({ stream }));
    const exchange = (await provider.next()).open();
    await exchange.say("a");
    if (stream) await client.response;
    client.kill();
    expect(await exchange.closed).toEqual({ early: true });
  });

  test(`a client that leaves while its run is queued never reaches the agent, ${kind}`, async () => {
    const { gateway, provider, ...door } = await startWithProvider();
    const first = openRaw(door, hi({ user: "u" }));
    const exchange = await provider.next();
    const second = openRaw(door, hi({ user: "u", stream }));
    await active(gateway, 2);
    second.kill();
    await active(gateway, 1);
    exchange.answer(200, { choices: [{ message: { content: "a" }, finish_reason: "stop" }] });
    (await first.response).resume();
    await active(gateway, 0);
    expect(provider.exchanges).toHaveLength(1);
  });
}

test("a client that leaves after the head and before any word aborts its run", async () => {
  const { agent, aborted } = stepper();
  const gateway = await startGateway({ agents: [agent], config: { gateway: { http: { commitAfterMs: 1 } } } });
  const client = openRaw(gateway, hi({ stream: true }));
  await client.response;
  client.kill();
  expect(await aborted).toEqual(gone);
});

test("the run of a client that left ends even if its agent does not listen", async () => {
  const started = Promise.withResolvers<void>();
  const deaf: GatewayOptions["agents"] = [
    agentOf(async function* () {
      started.resolve();
      yield "a";
      await new Promise(() => {});
    }),
  ];
  const { gateway, ...door } = await startGateway({ agents: deaf });
  const client = openRaw(door);
  await started.promise;
  client.kill();
  await active(gateway, 0);
});

test("a client that leaves once its answer is whole aborts nothing", async () => {
  let aborted = false;
  const agent = agentOf(async function* (_, signal) {
    signal.addEventListener("abort", () => {
      aborted = true;
    });
    yield "a";
  });
  const { gateway, ...door } = await startGateway({ agents: [agent] });
  for (const stream of [true, false]) {
    const client = openRaw(door, hi({ stream }));
    (await client.response).resume();
    await client.closed;
  }
  await active(gateway, 0);
  expect(aborted).toBe(false);
});

/** Waits until this many runs are under way. */
async function active(gateway: { runs: { active: number } }, count: number): Promise<void> {
  await expect.poll(() => gateway.runs.active, { timeout: 10_000, interval: 5 }).toBe(count);
}
