import type { StandardSchemaV1 } from "@standard-schema/spec";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { type Agent, type AgentTemplate, createGateway, defineAgent } from "../../src/index.ts";

/** What a schema library of one's own comes to. */
declare const handWritten: StandardSchemaV1<{ city: string }, { town: string }>;

test("a tool's input is what its schema makes of the arguments", () => {
  const template = defineAgent({
    id: "x",
    tools: {
      getWeather: {
        description: "The weather",
        schema: z.object({ city: z.string(), days: z.string().transform(Number).optional() }),
        run: ({ city, days }, { signal, runId, agentId, sessionKey }) => {
          expectTypeOf(city).toEqualTypeOf<string>();
          expectTypeOf(days).toEqualTypeOf<number | undefined>();
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
          expectTypeOf({ runId, agentId, sessionKey }).toEqualTypeOf<
            Record<"runId" | "agentId" | "sessionKey", string>
          >();
        },
      },
      add: {
        schema: toStandardJsonSchema(v.object({ a: v.number(), b: v.optional(v.number(), 1) })),
        run: async ({ a, b }) => {
          expectTypeOf({ a, b }).toEqualTypeOf<{ a: number; b: number }>();
          return a + b;
        },
      },
      find: {
        schema: handWritten,
        parameters: { type: "object" },
        async run(input, { signal }) {
          expectTypeOf(input).toEqualTypeOf<{ town: string }>();
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
          return input.town;
        },
      },
      now: { schema: z.object({}), run: () => new Date().toISOString() },
    },
  });
  expectTypeOf(template).toEqualTypeOf<AgentTemplate>();
});

test("a run that misreads its input is refused", () => {
  defineAgent({
    id: "x",
    // @ts-expect-error there is no member `town`
    tools: { getWeather: { schema: z.object({ city: z.string() }), run: ({ town }) => town } },
  });
  defineAgent({
    id: "x",
    tools: {
      getWeather: {
        schema: z.object({ city: z.string() }),
        // @ts-expect-error a string has no toFixed
        run: ({ city }) => city.toFixed(),
      },
    },
  });
  // @ts-expect-error an input of another type
  defineAgent({ id: "x", tools: { a: { schema: z.object({ n: z.number() }), run: ({ n }: { n: string }) => n } } });
  // @ts-expect-error no schema
  defineAgent({ id: "x", tools: { a: { run: () => "" } } });
  // @ts-expect-error a JSON Schema is no Standard Schema
  defineAgent({ id: "x", tools: { a: { schema: { type: "object" }, run: () => "" } } });
  // @ts-expect-error there is no such setting
  defineAgent({ id: "x", tols: {} });
});

test("an agent runs by itself or is a model, not both", () => {
  const own = defineAgent({
    id: "x",
    async *run({ messages }, { signal }) {
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      yield `${messages.length}`;
    },
  });
  expectTypeOf(own).toEqualTypeOf<Agent>();
  // @ts-expect-error both
  defineAgent({ id: "x", tools: {}, async *run() {} });
  expectTypeOf(defineAgent({ id: "x" })).toEqualTypeOf<AgentTemplate>();
  expectTypeOf(defineAgent({ id: "x", model: "a/b", mcp: ["files__*"], maxSteps: 3 })).toEqualTypeOf<AgentTemplate>();
  createGateway({ agents: [own, defineAgent({ id: "y", tools: {} })] });
});
