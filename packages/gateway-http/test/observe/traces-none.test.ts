import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { askStream, hi } from "../support/chat.ts";
import { startWithProvider } from "../support/provider-gateway.ts";
import { FROM_CALLER, startTracing } from "./tracing.ts";

const PACKAGE = join(import.meta.dirname, "../..");

/** What the gateway's own modules ask for when an agent is run. */
const PROBE = `
  import { registerHooks } from "node:module";
  const asked = [];
  registerHooks({
    resolve(specifier, context, next) {
      if (context.parentURL?.includes("/gateway-http/src/")) asked.push(specifier);
      return next(specifier, context);
    },
  });
  const { createGateway, defineAgent } = await import("./src/index.ts");
  const config = { logging: { level: "silent" }, sessions: { store: { kind: "memory" } }, gateway: { port: 0 } };
  const gateway = createGateway({ config, agents: [defineAgent({ id: "main", async *run() { yield "hi"; } })] });
  await gateway.listen();
  const turn = { messages: [{ role: "user", content: "hi" }], instructions: [], params: {}, stream: false };
  const session = { owner: "operator", key: "k", stateless: true };
  const { answer } = await gateway.runs.start({ agent: gateway.defaultAgent, turn, session }).result;
  await gateway.close();
  console.log(JSON.stringify({ text: answer.text, asked }));
`;

test("without an SDK nothing of OpenTelemetry is loaded", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "openclaw-traces-"));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  const args = ["--conditions=@openclaw/source", "--input-type=module", "--eval", PROBE];
  const env = { HOME: stateDir, OPENCLAW_STATE_DIR: stateDir, PATH: process.env.PATH };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: PACKAGE, env });
  const { text, asked } = JSON.parse(stdout) as { text: string; asked: string[] };
  expect(text).toBe("hi");
  expect(asked).toEqual(expect.arrayContaining(["fastify", "../observe/traces.ts"]));
  expect(asked.filter((specifier) => specifier.includes("opentelemetry"))).toEqual([]);
}, 60_000);

test("a stream has the same bytes with an SDK and without, and its provider hears nothing without", async () => {
  const door = await startWithProvider({
    script: async (exchange) => {
      exchange.open();
      for (const word of ["one ", "two ", "three"]) await exchange.say(word);
      exchange.finish("stop", { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 });
    },
  });
  const plain = await askStream(door, hi({ stream_options: { include_usage: true } }), FROM_CALLER);
  const tracing = startTracing();
  const traced = await askStream(door, hi({ stream_options: { include_usage: true } }), FROM_CALLER);
  await tracing.ended(2);
  expect(withoutId(traced.raw)).toBe(withoutId(plain.raw));
  expect(plain.text).toBe("one two three");
  const [first, second] = door.provider.exchanges;
  expect([first?.headers.traceparent, first?.headers.tracestate]).toEqual([undefined, undefined]);
  expect(second?.headers.traceparent).toBeDefined();
  expect(second?.body.equals(first?.body as Buffer)).toBe(true);
});

const withoutId = (raw: string) => raw.replaceAll(/"id":"[^"]*"|"created":\d+/g, "");
