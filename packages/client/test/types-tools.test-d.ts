import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { ChatCompletion, ChatCompletionChunk, ChatStream, Client } from "../src/index.ts";
import { isOpenClawError } from "../src/index.ts";
import {
  type DeepPartial,
  type InputOf,
  type OutputError,
  type OutputOf,
  type OutputStream,
  withOutput,
} from "../src/output/index.ts";
import { defineTool, type Schema, type ToolResult, type ToolRun, withTools } from "../src/tools/index.ts";

declare const client: Client;
declare const stream: boolean;
const messages = [{ role: "user" as const, content: "hi" }];

test("a tool's arguments are what comes out of its schema", () => {
  const { runTools } = withTools(client).chat;
  const own = {} as Schema<string, { own: true }>;
  const run = runTools({
    messages,
    tools: {
      zod: {
        schema: z.object({ city: z.string().transform((text) => text.length), at: z.string().default("now") }),
        run(args, { signal, id }) {
          expectTypeOf(args).toEqualTypeOf<{ city: number; at: string }>();
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
          expectTypeOf(id).toBeString();
        },
      },
      valibot: {
        run: async ({ list }) => expectTypeOf(list).toEqualTypeOf<number[]>(),
        schema: toStandardJsonSchema(v.object({ list: v.array(v.number()) })),
      },
      byHand: {
        schema: own,
        parameters: { type: "object" },
        run: (args) => expectTypeOf(args).toEqualTypeOf<{ own: true }>(),
      },
      unchecked: {
        parameters: { type: "object" },
        run: (args, { id }) => expectTypeOf([args, id] as const).toEqualTypeOf<readonly [unknown, string]>(),
      },
    },
  });
  expectTypeOf(run).toEqualTypeOf<ToolRun>();
  run.on("tool-result", (result) => expectTypeOf(result).toEqualTypeOf<ToolResult>());
  run.on("step", (completion) => expectTypeOf(completion).toEqualTypeOf<ChatCompletion>());
  expectTypeOf(run.text()).resolves.toBeString();
  expectTypeOf<ToolRun>().toExtend<AsyncIterable<ChatCompletionChunk>>();
  expectTypeOf<ToolRun>().toExtend<Pick<ChatStream, "runId" | "requestId" | "sessionKey" | "toReadableStream">>();
  void client.chat.completions.create({ messages: [...run.messages, ...messages] });
  // @ts-expect-error a tool does something
  runTools({ messages, tools: { tool: { schema: z.object({}) } } });
  // @ts-expect-error no schema
  runTools({ messages, tools: { tool: { schema: { type: "object" }, run: () => "" } } });
  // @ts-expect-error there is no such argument
  runTools({ messages, tools: { tool: { schema: z.object({ city: z.string() }), run: ({ town }) => town } } });
  // @ts-expect-error it is always streamed
  runTools({ messages, stream: true, tools: {} });
  // @ts-expect-error messages are needed
  runTools({ tools: {} });
});

test("so are those of a tool that stands by itself", () => {
  const tool = defineTool({
    schema: z.object({ city: z.string() }),
    run: ({ city }) => expectTypeOf(city).toBeString(),
  });
  const unchecked = defineTool({
    parameters: { type: "object" },
    run: (args) => expectTypeOf(args).toBeUnknown(),
  });
  withTools(client).chat.runTools({
    messages,
    tools: { tool, unchecked, other: { schema: z.object({}), run: () => {} } },
  });
  // @ts-expect-error there is no such argument
  defineTool({ schema: z.object({ city: z.string() }), run: ({ town }) => town });
});

const city = z.object({ river: z.string(), at: z.string().transform((text) => new Date(text)) });
interface City {
  river: string;
  at: Date;
}

test("what create gives with output", async () => {
  const { create } = withOutput(client).chat.completions;
  const completion = await create({ messages, output: city });
  expectTypeOf<OutputOf<typeof city>>().toEqualTypeOf<City>();
  expectTypeOf<InputOf<typeof city>>().toEqualTypeOf<{ river: string; at: string }>();
  expectTypeOf(completion.output).toEqualTypeOf<City>();
  expectTypeOf(completion.choices).toEqualTypeOf<ChatCompletion["choices"]>();
  expectTypeOf((await create({ messages, output: { schema: city, name: "city" } })).output).toEqualTypeOf<City>();
  expectTypeOf((await create({ messages, output: v.object({ n: v.number() }) })).output).toEqualTypeOf<{ n: number }>();

  const streamed = await create({ messages, output: city, stream: true });
  expectTypeOf(streamed).toExtend<ChatStream>();
  expectTypeOf(streamed.output()).resolves.toEqualTypeOf<City>();
  // As the model writes it, not as the schema makes it.
  for await (const part of streamed.partials()) expectTypeOf(part).toEqualTypeOf<{ river?: string; at?: string }>();
  expectTypeOf(await create({ messages, output: city, stream })).toEqualTypeOf<
    (ChatCompletion & { output: City }) | OutputStream<City, { river: string; at: string }>
  >();

  const params = { messages, output: city };
  expectTypeOf((await create(params)).output).toEqualTypeOf<City>();
  // @ts-expect-error that is what output is for
  void create({ messages, output: city, response_format: { type: "text" } });
  // @ts-expect-error a schema
  void create({ messages, output: { type: "object" } });
});

test("without output create is as before", () => {
  const { create } = withOutput(client).chat.completions;
  expectTypeOf(create({ messages })).resolves.toEqualTypeOf<ChatCompletion>();
  expectTypeOf(create({ messages, stream: true })).resolves.toEqualTypeOf<ChatStream>();
  expectTypeOf(create({ messages, stream })).resolves.toEqualTypeOf<ChatCompletion | ChatStream>();
  // @ts-expect-error messages are needed
  void create({ model: "openclaw" });
  // @ts-expect-error there is no such parameter
  void create({ messages, streem: true });
});

test("both, in either order", async () => {
  for (const both of [withTools(withOutput(client)), withOutput(withTools(client))]) {
    expectTypeOf(both.chat.runTools({ messages, tools: {} })).toEqualTypeOf<ToolRun>();
    const { output } = await both.chat.completions.create({ messages, output: city });
    expectTypeOf(output).toEqualTypeOf<City>();
    expectTypeOf(both.chat.completions.create({ messages })).resolves.toEqualTypeOf<ChatCompletion>();
    expectTypeOf(both.models).toEqualTypeOf<Client["models"]>();
  }
});

test("any part of a part may not be there", () => {
  expectTypeOf<DeepPartial<{ list: { n: number }[]; or: string | null; pair: [1, "a"] }>>().toEqualTypeOf<{
    list?: { n?: number }[];
    or?: string | null;
    pair?: (1 | "a")[];
  }>();
  // An enum's value may be there in part: it is not to be taken for one.
  expectTypeOf<"pend">().toExtend<DeepPartial<"pending" | "done">>();
  expectTypeOf<DeepPartial<"pending" | "done">>().not.toExtend<"pending" | "done">();
  expectTypeOf<DeepPartial<string>>().toEqualTypeOf<string>();
  const either = {} as DeepPartial<{ type: "circle"; radius: number } | { type: "square"; side: number }>;
  if (either.type === "circle") expectTypeOf(either.radius).toEqualTypeOf<number | undefined>();
  expectTypeOf<DeepPartial<unknown>>().toBeUnknown();
});

test("an output's error tells itself", () => {
  const error: unknown = new Error();
  if (isOpenClawError(error, "OutputError")) expectTypeOf(error).toEqualTypeOf<OutputError>();
});
