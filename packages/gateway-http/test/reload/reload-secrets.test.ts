import { expect, test } from "vitest";
import { ask } from "../support/chat.ts";
import { startProvider } from "../support/stand-in-provider.ts";
import { TOKEN } from "../support/start-gateway.ts";
import { configOf, startReloadable } from "./reloadable.ts";

test("secrets in force stay secret, however many configs that cannot work come after", async () => {
  const key = "sk-in-force-0123456789";
  const provider = await startProvider();
  const using = (apiKey: string, model: string) =>
    configOf({
      models: { providers: { stand: { baseUrl: provider.baseUrl, apiKey } } },
      agents: { defaults: { model } },
    });
  const door = await startReloadable(using(key, "stand/in"));
  for (let index = 0; index < 250; index++) {
    const change = door.change(using(`sk-rotated-${index}-`, "nobody/knows"));
    await expect(change).rejects.toThrow("nobody");
  }
  const answer = ask(door);
  (await provider.next()).answer(400, { error: { message: `the body has ${key} and ${TOKEN} in it` } });
  expect((await answer).json.error.message).toContain("the body has *** and *** in it");
});
