import { expect, onTestFinished, test, vi } from "vitest";
import { Connection } from "../../src/sessions/sqlite/connection.ts";
import { stepper } from "../support/agents.ts";
import { hi } from "../support/chat.ts";
import { bob, configOf, startReloadable } from "./reloadable.ts";

test("a keyed request whose key goes while its answer is looked for is refused, and runs nothing", async () => {
  const using = (...keys: object[]) => configOf({ sessions: { store: { kind: "sqlite" } } }, ...keys);
  const looking = Promise.withResolvers<void>();
  const reloaded = Promise.withResolvers<void>();
  const { do: ask } = Connection.prototype;
  const spy = vi.spyOn(Connection.prototype, "do").mockImplementation(async function (this: Connection, operation) {
    const row = await ask.call(this, operation);
    if (operation.kind !== "find-record") return row;
    looking.resolve();
    await reloaded.promise;
    return row;
  } as typeof ask);
  onTestFinished(() => spy.mockRestore());
  const agent = stepper();
  const door = await startReloadable(using(bob()), [agent.agent]);
  const answer = door.request("/v1/chat/completions", {
    body: hi({ stream: true }),
    headers: { ...door.asBob, "idempotency-key": "k1" },
    signal: AbortSignal.timeout(20_000),
  });
  await looking.promise;
  await door.change(using());
  reloaded.resolve();
  const refused = await answer;
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ error: { code: "invalid_api_key" } });
  expect(door.gateway.runs.active).toBe(0);
});
