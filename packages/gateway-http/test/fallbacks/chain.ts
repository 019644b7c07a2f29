import { onTestFinished, vi } from "vitest";
import type { OnModel } from "../../src/agents/model-agent.ts";
import { type ConfigInput, defineAgent, type ModelAgentDefinition } from "../../src/index.ts";
import { type Script, startProvider } from "../support/stand-in-provider.ts";
import { startGateway } from "../support/start-gateway.ts";

export interface ChainOptions {
  /** What the providers `a`, `b`, … do; their model is called `x`. */
  says: readonly Script[];
  tools?: ModelAgentDefinition["tools"];
  config?: ConfigInput;
}

/** A gateway whose agent `main` is the model `a/x`, with `b/x` and so on to fall back to. */
export async function startChain({ says, tools, config }: ChainOptions) {
  const providers = await Promise.all(says.map((script) => startProvider(script)));
  const ids = ["a", "b", "c"].slice(0, providers.length);
  const [primary = "", ...fallbacks] = ids.map((id) => `${id}/x`);
  const agent = defineAgent({ id: "main", model: { primary, fallbacks }, ...(tools && { tools }) });
  const told: Parameters<OnModel>[0][] = [];
  const started = await startGateway({
    config: {
      ...config,
      models: {
        providers: Object.fromEntries(ids.map((id, at) => [id, { baseUrl: providers[at]?.baseUrl as string }])),
      },
    },
    agents: [{ id: "main", bind: (parts) => agent.bind({ ...parts, onModel: (about) => told.push(about) }) }],
  });
  return {
    ...started,
    providers,
    /** What the log is told of models. */
    told,
    /** How often each provider was asked. */
    asked: () => providers.map(({ exchanges }) => exchanges.length),
  };
}

export const answers =
  (text: string): Script =>
  (exchange) => {
    exchange.open();
    void exchange.say(text);
    exchange.finish("stop", { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 });
  };

export const fails =
  (status: number, message = "no", headers: Record<string, string> = {}): Script =>
  (exchange) =>
    exchange.answer(status, { error: { message } }, headers);

/** One after the other; the last again and again. */
export const inTurn =
  (...scripts: readonly Script[]): Script =>
  (exchange, index) =>
    scripts[Math.min(index, scripts.length - 1)]?.(exchange, index);

/** A clock that goes on when told, for as long as the test. */
export function shiftClock() {
  const now = performance.now.bind(performance);
  let shift = 0;
  const spy = vi.spyOn(performance, "now").mockImplementation(() => now() + shift);
  onTestFinished(() => spy.mockRestore());
  return (ms: number) => {
    shift += ms;
  };
}
