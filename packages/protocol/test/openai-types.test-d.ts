import type OpenAI from "openai";
import type { APIError } from "openai";
import { expectTypeOf, test } from "vitest";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionRequestInput,
  ErrorBody,
  FinishReason,
  Message,
  Metadata,
  Model,
  ModelList,
  ResponseFormat,
  Tool,
  ToolCallDelta,
  ToolChoice,
  Usage,
} from "../src/index.ts";

/** `Source` assigns to `Target`. Unlike `toExtend`, it explains itself when it does not. */
function assigns<Target>(_source: Target): void {}
declare function a<T>(): T;

test("whatever OpenAI's SDK lets a caller send, our request takes", () => {
  assigns<ChatCompletionRequestInput>(a<OpenAI.ChatCompletionCreateParams>());
  assigns<ChatCompletionRequestInput>(a<OpenAI.ChatCompletionCreateParamsStreaming>());
  assigns<ChatCompletionRequestInput>(a<OpenAI.ChatCompletionCreateParamsNonStreaming>());
  assigns<ChatCompletionRequestInput["messages"][number]>(a<OpenAI.ChatCompletionMessageParam>());
  assigns<ChatCompletionRequestInput["tools"]>(a<OpenAI.ChatCompletionTool[]>());
  assigns<ChatCompletionRequestInput["tool_choice"]>(a<OpenAI.ChatCompletionToolChoiceOption>());
  assigns<ChatCompletionRequestInput["metadata"]>(a<OpenAI.Metadata>());
});

test("an answer of OpenAI's SDK can be sent back as a message", () => {
  assigns<ChatCompletionRequestInput["messages"][number]>(a<OpenAI.ChatCompletionMessage>());
});

test("what we parsed is plain data with known types", () => {
  expectTypeOf<Message["role"]>().toEqualTypeOf<"system" | "developer" | "user" | "assistant" | "tool" | "function">();
  expectTypeOf<Tool["type"]>().toEqualTypeOf<"function" | "custom">();
  expectTypeOf<Exclude<ToolChoice, string>["type"]>().toEqualTypeOf<"function" | "custom" | "allowed_tools">();
  expectTypeOf<ResponseFormat["type"]>().toEqualTypeOf<"text" | "json_object" | "json_schema">();
  expectTypeOf<Metadata>().toEqualTypeOf<Record<string, string>>();
});

test("whatever we answer, OpenAI's SDK knows", () => {
  assigns<OpenAI.ChatCompletion>(a<ChatCompletion>());
  assigns<OpenAI.ChatCompletionChunk>(a<ChatCompletionChunk>());
  assigns<OpenAI.ChatCompletionChunk.Choice.Delta.ToolCall>(a<ToolCallDelta>());
  assigns<OpenAI.ChatCompletion.Choice["finish_reason"]>(a<FinishReason>());
  assigns<OpenAI.CompletionUsage>(a<Usage>());
  assigns<OpenAI.Model>(a<Model>());
  assigns<OpenAI.Model[]>(a<ModelList["data"]>());
});

test("an error object has what the SDK's APIError reads", () => {
  assigns<Pick<APIError, "code" | "param" | "type">>(a<ErrorBody["error"]>());
  expectTypeOf<ErrorBody["error"]["message"]>().toEqualTypeOf<string>();
});

test("a wrong request is a compile error", () => {
  // @ts-expect-error: no such role
  assigns<ChatCompletionRequestInput>({ messages: [{ role: "admin", content: "hi" }] });
  // @ts-expect-error: not a number
  assigns<ChatCompletionRequestInput>({ messages: [], temperature: "hot" });
  // @ts-expect-error: no metadata but text
  assigns<ChatCompletionRequestInput>({ messages: [], metadata: { a: 1 } });
  // @ts-expect-error: a part without text
  assigns<ChatCompletionRequestInput>({ messages: [{ role: "user", content: [{ type: "text" }] }] });
});
