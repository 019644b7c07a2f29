import { HEADERS } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { ask, hi } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { connectWatched } from "../support/socket-referee.ts";
import { TOKEN } from "../support/start-gateway.ts";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const attachments = [{ mimeType: "image/png", content: PNG }];

/** A gateway whose agent is this one of two models: one of them sees. */
async function start(model: "blind" | "seer") {
  const { provider, url, ...door } = await startWithProvider({
    async script(exchange) {
      await exchange.open().say("ok");
      exchange.finish();
    },
    provider: {
      models: [
        { id: "blind", input: ["text"] },
        { id: "seer", input: ["text", "image"] },
      ],
    },
    agent: { model: `stand/${model}` },
  });
  const client = await connectWatched(url, { token: TOKEN });
  let last = 0;
  return {
    ...{ provider, client, door },
    /** Says something with a picture, and gives how its run ended. */
    async look(more: object = {}) {
      const runId = `r${++last}`;
      await client.request("chat.send", {
        sessionKey: "s",
        message: "look",
        idempotencyKey: runId,
        attachments,
        ...more,
      });
      return client.untilEvent("chat", (chat) => chat.runId === runId && chat.state !== "delta");
    },
    settle: (name: string | null) => client.request("sessions.patch", { key: "s", model: name && `stand/${name}` }),
    messages: async () => (await client.request("chat.history", { sessionKey: "s" })).messages,
  };
}

test("who sees is asked of the model that a session is set to, not of its agent's own", async () => {
  const { look, settle, provider, messages } = await start("blind");
  await settle("seer");
  expect(await look()).toMatchObject({ state: "final" });
  expect(provider.exchanges.at(-1)?.json.model).toBe("seer");
  await settle("blind");
  const { state, errorMessage } = await look();
  expect([state, errorMessage]).toEqual([
    "error",
    'messages[0].content[1].type: the model "stand/blind", which this session is set to, takes in no image, only text.',
  ]);
  await settle(null);
  expect(await look()).toMatchObject({
    ...{ state: "error", errorMessage: expect.stringContaining('the agent "main" takes in no image, only text') },
  });
  expect(provider.exchanges).toHaveLength(1);
  // Of what was refused nothing is kept: no later turn of the session is spoilt.
  expect(await messages()).toHaveLength(2);
});

test("the agent's own model sees, and that of its session does not", async () => {
  const { look, settle, provider, door } = await start("seer");
  await settle("blind");
  expect(await look()).toMatchObject({ state: "error", errorMessage: expect.stringContaining('"stand/blind"') });
  const content = [{ type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } }];
  const body = hi({ messages: [{ role: "user", content }] });
  const { status, json } = await ask(door, body, { [HEADERS.sessionKey]: "s" });
  expect([status, json.error]).toMatchObject([
    ...[400, { code: "unsupported_parameter", param: "messages[0].content[0].type" }],
  ]);
  expect(provider.exchanges).toHaveLength(0);
  const asked = await ask(door, body, { [HEADERS.sessionKey]: "s", [HEADERS.model]: "stand/seer" });
  expect(asked.status).toBe(200);
});

test("the model that an agent is asked with is known before its run", async () => {
  const { client, provider } = await start("seer");
  const params = { message: "look", idempotencyKey: "r1", attachments, model: "stand/blind" };
  const { ok, error } = await client.ask("agent", params);
  expect([ok, error?.code]).toEqual([false, "INVALID_REQUEST"]);
  expect(error?.message).toContain("takes in no image");
  expect(provider.exchanges).toHaveLength(0);
});
