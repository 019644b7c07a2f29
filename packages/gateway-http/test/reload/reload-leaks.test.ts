import { setImmediate as nextLoop } from "node:timers/promises";
import { expect, test } from "vitest";
import { createConnections } from "../../src/models/connections.ts";
import { ask } from "../support/chat.ts";
import { collectGarbage } from "../support/garbage.ts";
import { PROVIDER_KEY } from "../support/provider-gateway.ts";
import { completion, startProvider } from "../support/stand-in-provider.ts";
import { bob, configOf, startReloadable } from "./reloadable.ts";

const ROUNDS = 500;

const handles = () => process.getActiveResourcesInfo().length;

/** Bytes of the heap after everything that can go is gone. */
async function heap(): Promise<number> {
  await nextLoop();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test("a thousand reloads keep nothing: no memory, no handle, no connection", async () => {
  const provider = await startProvider((exchange) => exchange.answer(200, completion("x")));
  const using = (index: number) =>
    configOf(
      {
        models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey: `${PROVIDER_KEY}-${index}` } } },
        agents: {
          defaults: { model: { primary: "stand/in", fallbacks: ["stand/other"] }, instructions: "x".repeat(10_000) },
          list: [{ id: "main" }, { id: `a${index}`, description: "y".repeat(10_000) }],
        },
      },
      bob({ agents: [`a${index}`] }),
    );
  const door = await startReloadable(using(0));
  const changeAll = async () => {
    for (let index = 0; index < ROUNDS; index++) await door.change(using(index));
    expect((await ask(door)).text).toBe("x");
  };
  await changeAll();
  const before = { bytes: await heap(), handles: handles() };
  await changeAll();
  const grown = (await heap()) - before.bytes;
  // One config with its agents takes some 30 KiB: all of them would be 15 MB.
  expect(grown).toBeLessThan(5 * 1024 * 1024);
  expect(handles()).toBeLessThanOrEqual(before.handles + 5);
  const ports = new Set(provider.exchanges.map(({ peerPort }) => peerPort));
  expect(ports.size).toBeLessThanOrEqual(2);
});

test("the connections to a provider that nobody asks any more are given up", async () => {
  const connections = createConnections();
  const providers = [await startProvider(), await startProvider(), await startProvider()];
  const post = async ({ baseUrl, next }: (typeof providers)[number], headers: Record<string, string>) => {
    const response = connections.post(new URL(baseUrl).origin, {
      path: "/v1/chat/completions",
      headers: { "content-type": "application/json" },
      body: "{}",
      timeoutMs: 10_000,
      signal: new AbortController().signal,
    });
    const exchange = await next();
    return { response, exchange, answer: () => exchange.answer(200, {}, headers) };
  };
  const [first, second, third] = providers as [(typeof providers)[0], (typeof providers)[0], (typeof providers)[0]];
  const ended = await post(first, { connection: "close" });
  ended.answer();
  await readAll(await ended.response);
  expect(connections.size).toBe(1);
  const underWay = await post(second, {});
  expect(connections.size).toBe(1);
  const other = await post(third, {});
  // What is under way stays.
  expect(connections.size).toBe(2);
  for (const { answer, response } of [underWay, other]) {
    answer();
    await readAll(await response);
  }
  await connections.close();
});

async function readAll({ read }: Awaited<ReturnType<ReturnType<typeof createConnections>["post"]>>): Promise<void> {
  while ((await read()) !== undefined);
}
