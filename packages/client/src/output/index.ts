import type { ChatStream } from "../chat/chat-stream.ts";
import type { ChatCompletionParams, ChatOptions } from "../chat/create.ts";
import type { Client } from "../client.ts";
import { type ResponsePromise, toResponsePromise } from "../request.ts";
import { type InputOf, type JsonSchema, type OutputOf, type Schema, toJsonSchema } from "../schema.ts";
import type { ChatCompletion } from "../types.ts";
import { createPartialJson } from "./partial-json.ts";
import { readOutput } from "./read-output.ts";

export { OutputError } from "../errors.ts";
export type { InputOf, JsonSchema, OutputOf, Schema } from "../schema.ts";

/** What an answer is to be: a schema, or one with what the model is told of it. */
export type OutputFormat<S extends Schema> = S | OutputSpec<S>;

export interface OutputSpec<S extends Schema> {
  /** A Standard Schema (zod, valibot, …). It checks the answer; `output` is what it makes of it. */
  schema: S;
  /**
   * JSON Schema, as the model is to see it.
   * @defaultValue what `schema` tells of itself, as those of zod 4.2 and valibot's `toStandardJsonSchema()` do
   */
  jsonSchema?: JsonSchema;
  /**
   * 1 to 64 characters.
   * @defaultValue `"output"`
   */
  name?: string;
  /**
   * Whether the model is to keep to it strictly, where it can. Then, with most models, its objects may have no optional
   * members and none but those named: in zod, `z.strictObject`. Left to the model's server by default.
   */
  strict?: boolean;
}

/**
 * Any part of it may not be there yet, also of a text: of an enum with `"pending"` there may be `"pe"`. Only a text that
 * can be no other, such as tells the members of a union apart, keeps its type.
 */
export type DeepPartial<T> = PartOf<T, T>;

/** Of one member of the union `All`. */
type PartOf<T, All> = T extends readonly (infer Item)[]
  ? DeepPartial<Item>[]
  : T extends object
    ? { [Name in keyof T]?: DeepPartial<T[Name]> }
    : T extends string
      ? T | ([Extract<All, string>] extends [T] ? never : Text)
      : T;

/** Any, while editors still complete what it stands beside. */
type Text = string & {};

/** A stream whose text is JSON. */
export interface OutputStream<Output, Input = Output> extends ChatStream {
  /**
   * Reads to the end and gives what the schema makes of the answer. May be called again, and after or beside a loop.
   *
   * @throws OutputError when the answer is not what was asked for
   * @throws what `final()` throws
   */
  output(): Promise<Output>;
  /**
   * What there is of the answer, each time that there is more of it: not checked, and as the model writes it, before the
   * schema makes something of it. Text grows, numbers come whole. Of a long answer not every character is a part of its
   * own. Reads the stream, so only once, and not after `output()`.
   *
   * @example
   * ```ts
   * for await (const { title, steps = [] } of stream.partials()) show(title, steps);
   * const recipe = await stream.output();
   * ```
   * @throws what the stream throws
   */
  partials(): AsyncGenerator<DeepPartial<Input>, void, undefined>;
}

type OutputParams<S extends Schema> = Omit<ChatCompletionParams, "response_format" | "stream"> & {
  output: OutputFormat<S>;
};

type Parsed<S extends Schema> = ChatCompletion & { output: OutputOf<S> };
type ParsedStream<S extends Schema> = OutputStream<OutputOf<S>, InputOf<S>>;

/** A client whose answers can be data. */
export interface WithOutput {
  readonly chat: {
    readonly completions: {
      /**
       * Asks for an answer that fits the schema, and checks it. A stream is checked by its `output()`.
       *
       * @example
       * ```ts
       * const client = withOutput(createClient({ baseUrl, token }));
       * const { output } = await client.chat.completions.create({
       *   messages: [{ role: "user", content: "Paris in numbers" }],
       *   output: z.object({ population: z.number(), river: z.string() }),
       * });
       * console.log(output.population);
       * ```
       * @throws OutputError when the answer is something else
       * @throws OpenClawError when the schema cannot be told to a model
       */
      create<S extends Schema>(
        params: OutputParams<S> & { stream?: false | null },
        options?: ChatOptions,
      ): ResponsePromise<Parsed<S>>;
      create<S extends Schema>(
        params: OutputParams<S> & { stream: true },
        options?: ChatOptions,
      ): ResponsePromise<ParsedStream<S>>;
      create<S extends Schema>(
        params: OutputParams<S> & { stream?: boolean | null },
        options?: ChatOptions,
      ): ResponsePromise<Parsed<S> | ParsedStream<S>>;
    };
  };
}

/** The client, with `output` for `chat.completions.create`. What else was added to it stays, as by `withTools`. */
export function withOutput<C extends Client>(client: C): WithOutput & C {
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
    // By what was asked for: what came is not always what it should be.
    if (asked.stream) return { data: toOutputStream(data as ChatStream, spec.schema), response };
    return { data: { ...data, output: await readOutput(spec.schema, data as ChatCompletion) }, response };
  }

  return { ...client, chat: { ...client.chat, completions: { ...completions, create } } } as unknown as WithOutput & C;
}

function toResponseFormat({ schema, jsonSchema, name = "output", strict }: OutputSpec<Schema>) {
  return {
    type: "json_schema" as const,
    json_schema: {
      name,
      schema: { ...(jsonSchema ?? toJsonSchema(schema, "`output`", "jsonSchema")) },
      ...(strict !== undefined && { strict }),
    },
  };
}

/** A part is read again when the text has grown by this much of itself: of a long answer not every character is one. */
const GROWTH = 1 / 64;

function toOutputStream<S extends Schema>(stream: ChatStream, schema: S): ParsedStream<S> {
  /** Once: a schema may do more than look. */
  let checked: Promise<OutputOf<S>> | undefined;
  async function* partials() {
    const json = createPartialJson();
    let shown = 0;
    for await (const { choices } of stream) {
      const text = choices[0]?.delta?.content;
      const length = text ? json.add(text) : 0;
      if (length - shown <= shown * GROWTH) continue;
      shown = length;
      const value = json.read();
      if (value !== undefined) yield value as DeepPartial<InputOf<S>>;
    }
    const { choices } = await stream.final();
    const isWhole = choices[0]?.finish_reason === "stop";
    const value = (isWhole ? json.end() : json.add("")) > shown ? json.read() : undefined;
    if (value !== undefined) yield value as DeepPartial<InputOf<S>>;
  }
  return Object.assign(stream, {
    partials,
    output: () => {
      checked ??= stream.final().then((completion) => readOutput(schema, completion));
      return checked;
    },
  });
}
