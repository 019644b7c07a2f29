import { expect, test, vi } from "vitest";
import { stepper } from "../support/agents.ts";
import { connectMany } from "../support/connect-many.ts";
import { connectSocket } from "../support/socket-client.ts";
import { startGateway, TOKEN } from "../support/start-gateway.ts";

// A second is all that last words may take, and a busy machine may stand still for longer: here it does not pass.
vi.mock("node:timers/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:timers/promises")>();
  const setTimeout: typeof original.setTimeout = (_ms, ...more) => original.setTimeout(2 ** 31 - 1, ...more);
  return { ...original, setTimeout };
});

test.each(["memory", "sqlite"] as const)(
  "a gateway that closes says goodbye after the last words of its runs, with sessions in %s",
  async (store) => {
    const { agent, started, say, end } = stepper();
    const { url, gateway } = await startGateway({ store, agents: [agent] });
    const client = await connectSocket(url, { token: TOKEN, scopes: ["operator.write"] });
    const page = await connectSocket(url, { token: TOKEN, scopes: ["operator.read"] });
    const far = await connectMany(url, 80, { token: TOKEN });
    for (const one of [page, ...far]) await one.request("sessions.subscribe");
    const params = { sessionKey: "s", message: "hi", idempotencyKey: "r1" };
    client.send({ type: "req", id: "ask", method: "agent", params });
    await started;
    say("word");
    await client.untilEvent("chat", ({ state }) => state === "delta");
    vi.spyOn(performance, "now").mockReturnValue(performance.now());
    const closed = gateway.close({ drainTimeoutMs: 60_000 });
    end();
    await closed;
    for (const one of [client, page, ...far])
      expect(await one.closed).toEqual({ code: 1012, reason: "service restart" });
    const answers = client.frames.flatMap((frame) =>
      frame.type === "res" && frame.id === "ask" ? [frame.payload] : [],
    );
    expect(answers).toMatchObject([{ status: "accepted" }, { status: "ok", summary: "completed" }]);
    for (const one of [page, ...far]) {
      expect(one.payloads("chat").at(-1)).toMatchObject({ state: "final", message: { content: [{ text: "word" }] } });
      expect(one.payloads("sessions.changed").at(-1)).toMatchObject({ phase: "end" });
      expect(one.events.at(-1)?.event).toBe("shutdown");
    }
  },
);
