import { toAskText } from "../ask.ts";
import { microsNow, microsSince, STAMP_DIGITS } from "../clock.ts";
import { GatewaySocket } from "./gateway-socket.ts";
import type { LoadClient } from "./load-client.ts";
import type { Target } from "./request.ts";

/** What a run said: its words, where who asked has kept them, and when it was whole for them. */
export type Said = { text: string | undefined; tokens: number; at: number };
export type Told = Said & { firstMs: number };

/** A run that this socket asks for; its words are read as they come, and each token is to be there once. */
export function runOverSocket(
  client: LoadClient,
  target: Target,
  sessionKey: string,
  ask: { tokens: number; pace: number },
): Promise<Told> {
  const { promise, resolve } = Promise.withResolvers<Told>();
  const name = Buffer.from(`"sessionKey":"${sessionKey}"`);
  const run = { text: "", tokens: ask.tokens, at: 0, firstMs: Number.NaN };
  let sentAt = 0;
  let lastSeq = 0;
  client.expected += ask.tokens;

  const socket = new GatewaySocket(target, {
    scope: "operator.write",
    onEvent(bytes) {
      if (bytes.indexOf(name) < 0) return;
      const { event, payload } = JSON.parse(bytes.toString());
      if (event === "agent") {
        if (payload.seq !== lastSeq + 1) fail(`agent event ${payload.seq} after ${lastSeq}`);
        lastSeq = payload.seq;
      } else if (event === "chat") onChat(payload);
    },
    onFailure(reason) {
      fail(reason);
      end();
    },
  });
  void socket.ready.then(() => {
    sentAt = microsNow();
    socket.request("chat.send", { sessionKey, message: toAskText(ask), idempotencyKey: sessionKey });
  });
  return promise;

  function onChat({ state, deltaText = "", message }: ChatPayload): void {
    const whole = message?.content[0]?.text ?? "";
    if (state === "delta") {
      const now = microsNow();
      if (run.text === "") run.firstMs = (now - sentAt) / 1000;
      run.text += deltaText;
      count(deltaText, now);
    }
    if (whole !== run.text) fail(`a ${state} says ${whole.length} characters, all deltas ${run.text.length}`);
    if (state === "delta") return;
    if (state !== "final" || !isWhole(run.text, ask.tokens)) fail(`${state} after ${run.text.length} characters`);
    end();
  }

  function count(text: string, now: number): void {
    const { tally } = client;
    for (let at = 1; at < text.length; at += STAMP_DIGITS + 2) {
      tally.tokens++;
      client.received++;
      if (tally.isRecording) tally.transits.push(microsSince(Number(text.slice(at, at + STAMP_DIGITS)), now) / 1000);
    }
  }

  function fail(reason: string): void {
    client.failures.push(`${sessionKey}: ${reason}`);
  }

  function end(): void {
    run.at = microsNow();
    socket.destroy();
    resolve(run);
  }
}

type ChatPayload = { state: string; deltaText?: string; message?: { content: { text: string }[] } };

/** Whether a text is so many tokens and nothing else. */
export function isWhole(text: string, tokens: number): boolean {
  return text.length === tokens * (STAMP_DIGITS + 2) && /^(t\d+;)*$/.test(text);
}
