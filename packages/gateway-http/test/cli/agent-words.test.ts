import { expect, test } from "vitest";
import { agent, startAgent } from "./agent-command.ts";
import { about, done, saying, startFakeGateway } from "./fake-gateway.ts";

test("answers that are not understood end the command", async () => {
  const { port } = await startFakeGateway({ answer: { ok: true, payload: { status: "odd" } } });
  await expect((await startAgent({ port })).exited).rejects.toThrow("The gateway's answer to agent is not understood");
});

test("what a gateway says cannot move the terminal's cursor", async () => {
  const error = { code: "UNAVAILABLE", message: "no\u001b[2J\r\nway" };
  const { port } = await startFakeGateway({ answer: { ok: false, error } });
  await expect((await startAgent({ port })).exited).rejects.toThrow(
    /^no\[2Jway: the run may go on there, in session agent:main:openai:\S+\.$/,
  );
  const late = { runId: "r", status: "timeout", summary: "timeout", error: "too\u001b[2J late" };
  const { port: slow } = await startFakeGateway({ answer: { ok: true, payload: late } });
  expect((await agent({ port: slow, "session-key": "trip" })).notices).toBe("too[2J late\n");
});

test("text that is told in whatever portions is printed once", async () => {
  const blocks = [
    { type: "thinking", text: "hm" },
    { type: "text", text: "a" },
  ];
  const chats = [
    saying(blocks, "hma"),
    saying("a", "a"),
    saying("abc", "c"),
    saying("ab"),
    saying("abcd", "d"),
    { odd: true },
  ];
  const { port } = await startFakeGateway({ chats, answer: { ok: true, payload: "ok" } });
  expect((await (await startAgent({ port })).exited).out).toBe("abcd\n");
});

test("with --json the last word on what was said is the gateway's", async () => {
  const { port } = await startFakeGateway({
    methods: {
      agent({ runId, respond, tell }) {
        respond({ ok: true, payload: { ...about(runId), status: "accepted", acceptedAt: 1 } });
        tell(saying("what was said first"));
        respond({ ok: true, payload: done(runId, "another text") });
      },
    },
  });
  const { out } = await agent({ port, json: true });
  expect(JSON.parse(out).result.payloads).toEqual([{ text: "another text", mediaUrl: null }]);
});
