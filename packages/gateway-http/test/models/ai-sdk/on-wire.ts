import type { ChatCompletion, ChatCompletionChunk } from "@openclaw/protocol";
import { expect, test } from "vitest";
import { type ConfigInput, defineAgent, type ModelAgentDefinition } from "../../../src/index.ts";
import { ask, askStream, hi } from "../../support/chat.ts";
import { type StartedGateway, startGateway } from "../../support/start-gateway.ts";
import { type StandIn, type Step, startWire, WIRES } from "../../wires/start-wire.ts";
import type { Heard, Wire } from "../../wires/wire.ts";

export interface OnWire extends StartedGateway {
  wire: Wire;
  standIn: StandIn;
}

export interface OnWireOptions {
  steps: readonly Step[];
  /** Functions of the agent's own. */
  tools?: ModelAgentDefinition["tools"];
  params?: Record<string, unknown>;
  /** Of the provider. */
  provider?: object;
}

/** A gateway with a stand-in of every wire, whose agent `main` is on this one: the wires differ in `model` alone. */
export async function startOnWire(wire: Wire, { steps, tools, params, provider }: OnWireOptions): Promise<OnWire> {
  const standIns = new Map<string, StandIn>();
  for (const other of WIRES) standIns.set(other.name, await startWire(other, steps));
  const providers = Object.fromEntries(
    WIRES.map(({ name, provider: own }) => [name, { ...own, baseUrl: standIns.get(name)?.baseUrl, ...provider }]),
  );
  const model = `${wire.name}/${wire.model}`;
  const exposeReasoning = "reasoning_content";
  const started = await startGateway({
    config: {
      models: { providers },
      agents: tools ? {} : { list: [{ id: "main", model, exposeReasoning, ...(params && { params }) }] },
    } as ConfigInput,
    ...(tools && { agents: [defineAgent({ id: "main", model, exposeReasoning, tools })] }),
  });
  return { ...started, wire, standIn: standIns.get(wire.name) as StandIn };
}

/**
 * One test over all wires: what is seen must be the same on each.
 * @param expected may be a function of the wire where the wires cannot say the same
 */
export function onEveryWire(
  title: string,
  options: OnWireOptions,
  act: (on: OnWire) => Promise<unknown>,
  expected: unknown,
): void {
  test(title, async () => {
    const all = await Promise.all(
      WIRES.map(async (wire) => ({ wire, seen: await act(await startOnWire(wire, options)) })),
    );
    for (const { wire, seen } of all) {
      expect(seen, wire.name).toEqual(typeof expected === "function" ? expected(wire) : expected);
    }
  });
}

/** What a caller sees of an answer, whether or not it was streamed. */
export interface SeenAnswer {
  text: string;
  thoughts: string;
  calls: { id: string; name: string; args: string }[];
  finish: string | null | undefined;
  usage: unknown;
}

export async function seeStream(on: OnWire, body: Record<string, unknown> = {}): Promise<SeenAnswer> {
  const { chunks } = await askStream(on, hi({ stream_options: { include_usage: true }, ...body }));
  const seen: SeenAnswer = { text: "", thoughts: "", calls: [], finish: undefined, usage: undefined };
  for (const { choices, usage } of chunks) {
    const { delta, finish_reason } = choices[0] ?? {};
    const { content, reasoning_content, tool_calls } = (delta ?? {}) as ChatCompletionChunk["choices"][0]["delta"] & {
      reasoning_content?: string;
    };
    seen.text += content ?? "";
    seen.thoughts += reasoning_content ?? "";
    seen.finish ??= finish_reason;
    seen.usage ??= withoutOurs(usage);
    for (const { index, id, function: called } of tool_calls ?? []) {
      seen.calls[index] ??= { id: id ?? "", name: called?.name ?? "", args: "" };
      (seen.calls[index] as { args: string }).args += called?.arguments ?? "";
    }
  }
  return seen;
}

export async function seeWhole(on: OnWire, body: Record<string, unknown> = {}): Promise<SeenAnswer> {
  const { json } = await ask(on, hi(body));
  return toSeen(json);
}

function toSeen(json: ChatCompletion): SeenAnswer {
  const choice = json.choices[0];
  const message = choice?.message as (typeof json.choices)[0]["message"] & { reasoning_content?: string };
  return {
    text: message?.content ?? "",
    thoughts: message?.reasoning_content ?? "",
    calls: (message?.tool_calls ?? []).flatMap((call) =>
      call.type === "function" ? [{ id: call.id, name: call.function.name, args: call.function.arguments }] : [],
    ),
    finish: choice?.finish_reason,
    usage: withoutOurs(json.usage),
  };
}

function withoutOurs(usage: object | null | undefined): unknown {
  if (!usage) return undefined;
  const { openclaw: _, ...rest } = usage as { openclaw?: unknown };
  return rest;
}

/** An answer that says nothing, but for this. */
export const seen = (more: Partial<SeenAnswer>): SeenAnswer => ({
  text: "",
  thoughts: "",
  calls: [],
  finish: "stop",
  usage: undefined,
  ...more,
});
/** The same question twice. */
export const both = async (on: OnWire, body?: Record<string, unknown>) => ({
  streamed: await seeStream(on, body),
  whole: await seeWhole(on, body),
});

export const same = (answer: SeenAnswer) => ({ streamed: answer, whole: answer });

/** A tool of the client's. */
export const tool = (name: string) => ({
  type: "function",
  function: {
    name,
    description: `Does ${name}`,
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
});

export function withoutSignature(heard: Heard): Heard {
  const { signature: _, ...rest } = heard as Heard & { signature?: string };
  return rest as Heard;
}
