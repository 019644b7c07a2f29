import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { defineAgent } from "../../src/index.ts";
import { ask, hi } from "../support/chat.ts";
import { chunk, type Script, startProvider } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";

const IN_SESSION = { "x-openclaw-session-key": "trip" };
const user = (content: string) => ({ role: "user", content });

/** A model that thinks before it calls, and answers 400 when a call comes back without its thought. */
const strict: Script = async (exchange) => {
  const messages = exchange.json.messages as { role: string; tool_calls?: unknown; reasoning?: string }[];
  if (messages.some(({ tool_calls, reasoning }) => tool_calls && !reasoning)) {
    return exchange.answer(400, { error: { message: "Missing reasoning" } });
  }
  exchange.open();
  if (messages.at(-1)?.role === "tool") {
    await exchange.say("done");
    return exchange.finish();
  }
  await exchange.event(chunk({ reasoning: "hm" }));
  await exchange.event(chunk({ tool_calls: [{ index: 0, id: "c1", function: { name: "note", arguments: "{}" } }] }));
  exchange.finish("tool_calls");
};

async function start(stateDir: string, baseUrl: string, provider = "stand") {
  const note = { schema: z.object({}), run: () => "noted" };
  return startGateway({
    stateDir,
    config: { models: { providers: { [provider]: { baseUrl } } } },
    agents: [defineAgent({ id: "main", model: `${provider}/in`, tools: { note } })],
  });
}

async function makeStateDir(): Promise<string> {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-thoughts-"));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  return stateDir;
}

test("a session goes on with what was thought in it, after a restart and with the model named by header", async () => {
  const stateDir = await makeStateDir();
  const provider = await startProvider(strict);
  const first = await start(stateDir, provider.baseUrl);
  expect((await ask(first, hi({ messages: [user("one")] }), IN_SESSION)).text).toBe("done");
  await first.gateway.close();
  const second = await start(stateDir, provider.baseUrl);
  expect((await ask(second, hi({ messages: [user("two")] }), IN_SESSION)).text).toBe("done");
  const named = { ...IN_SESSION, "x-openclaw-model": "stand/in" };
  expect((await ask(second, hi({ messages: [user("three")] }), named)).text).toBe("done");
  const prompts = provider.exchanges.map(({ body }) => /"messages":(\[.*)\]}$/s.exec(body.toString())?.[1] ?? "");
  for (const [index, prompt] of prompts.slice(1).entries())
    expect(prompt.startsWith(prompts[index] as string)).toBe(true);
});

test("another provider is not told what this one's model thought", async () => {
  const stateDir = await makeStateDir();
  const provider = await startProvider(strict);
  const first = await start(stateDir, provider.baseUrl);
  await ask(first, hi({ messages: [user("one")] }), IN_SESSION);
  await first.gateway.close();
  const other = await startProvider((exchange) => exchange.answer(200, { choices: [{ message: { content: "ok" } }] }));
  const second = await start(stateDir, other.baseUrl, "other");
  await ask(second, hi({ messages: [user("two")] }), IN_SESSION);
  expect(JSON.stringify(other.exchanges[0]?.json.messages)).not.toMatch(/reasoning|carry|hm/);
});
