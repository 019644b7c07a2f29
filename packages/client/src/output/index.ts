import type { ChatCompletion } from "@openclaw/protocol";
import type { ChatStream } from "../chat/chat-stream.ts";
import type { ChatCompletionParams, ChatOptions } from "../chat/create.ts";
import type { Client } from "../client.ts";
import { type ResponsePromise, toResponsePromise } from "../request.ts";
import { type JsonSchema, type OutputOf, type Schema, toJsonSchema } from "../schema.ts";
import { createPartialJson } from "./partial-json.ts";
import { readOutput } from "./read-output.ts";

export type { JsonSchema, Schema } from "../schema.ts";
export { OutputError } from "./read-output.ts";

/** What an answer is to be: a schema, or one with what the model is told of it. */
export type OutputFormat<S extends Schema> = S | OutputSpec<S>;

export interface OutputSpec<S extends Schema> {
  schema: S;
  /** As JSON Schema, in place of the schema's own. */
  jsonSchema?: JsonSchema;
  /** @defaultValue `"output"` */
  name?: string;
  /** Whether the model is to keep to it strictly, where it can: then it may have no optional members. */
  strict?: boolean;
}

/** Any part of it may not be there yet. */
export type DeepPartial<T> = T extends readonly (infer Item)[]
  ? DeepPartial<Item>[]
  : T extends object
    ? { [Name in keyof T]?: DeepPartial<T[Name]> }
    : T;

/** A stream whose text is JSON. */
export interface OutputStream<T> extends ChatStream {
  /** Reads to the end. @throws OutputError when the answer is not what was asked for; what `final()` throws */
  output(): Promise<T>;
  /** What there is of it, each time that there is more; not checked. Reads the stream, so only once. */
  partials(): AsyncGenerator<DeepPartial<T>, void, undefined>;
}

type OutputParams<S extends Schema> = Omit<ChatCompletionParams, "response_format" | "stream"> & {
  output: OutputFormat<S>;
};

/** A client whose answers can be data. */
export interface WithOutput {
  readonly chat: {
    readonly completions: {
      /**
       * Asks for an answer that fits the schema, and checks it.
       *
       * @example
       * ```ts
       * const { output } = await client.chat.completions.create({
       *   messages: [{ role: "user", content: "Paris in numbers" }],
       *   output: z.object({ population: z.number(), river: z.string() }),
       * });
       * console.log(output.population);
       * ```
       * @throws OutputError when the answer is something else
       */
      create<S extends Schema>(
        params: OutputParams<S> & { stream?: false | null },
        options?: ChatOptions,
      ): ResponsePromise<ChatCompletion & { output: OutputOf<S> }>;
      create<S extends Schema>(
        params: OutputParams<S> & { stream: true },
        options?: ChatOptions,
      ): ResponsePromise<OutputStream<OutputOf<S>>>;
    };
  };
}

/** The client, with `output` for `chat.completions.create`. */
export function withOutput<C extends Client>(client: C): C & WithOutput {
  const { completions } = client.chat;
  const create = (params: ChatCompletionParams & { output?: OutputFormat<Schema> }, options?: ChatOptions) =>
    params.output
      ? toResponsePromise<object>(ask(params, params.output, options))
      : completions.create(params, options);

  async function ask(params: object, format: OutputFormat<Schema>, options?: ChatOptions) {
    const spec = "~standard" in format ? { schema: format } : format;
    const { output: _, ...rest } = params as ChatCompletionParams & { output: unknown };
    const asked: ChatCompletionParams = { ...rest, response_format: toResponseFormat(spec) };
    const { data, response } = await completions.create(asked, options).withResponse();
    if ("choices" in data) return { data: { ...data, output: await readOutput(spec.schema, data) }, response };
    return { data: toOutputStream(data, spec.schema), response };
  }

  return { ...client, chat: { ...client.chat, completions: { ...completions, create } } } as C & WithOutput;
}

function toResponseFormat({ schema, jsonSchema, name = "output", strict }: OutputSpec<Schema>) {
  return {
    type: "json_schema" as const,
    json_schema: {
      name,
      schema: { ...(jsonSchema ?? toJsonSchema(schema, "`output`")) },
      ...(strict !== undefined && { strict }),
    },
  };
}

/** A part is read again when the text has grown by this much of itself: of a long answer not every character is one. */
const GROWTH = 1 / 64;

function toOutputStream<S extends Schema>(stream: ChatStream, schema: S): OutputStream<OutputOf<S>> {
  async function* partials() {
    const json = createPartialJson();
    let length = 0;
    let shown = 0;
    for await (const { choices } of stream) {
      const text = choices[0]?.delta?.content;
      if (!text) continue;
      json.add(text);
      length += text.length;
      if (length - shown < shown * GROWTH) continue;
      shown = length;
      const value = json.read();
      if (value !== undefined) yield value as DeepPartial<OutputOf<S>>;
    }
    if (length > shown) yield json.read() as DeepPartial<OutputOf<S>>;
  }
  return Object.assign(stream, { partials, output: async () => readOutput(schema, await stream.final()) });
}
