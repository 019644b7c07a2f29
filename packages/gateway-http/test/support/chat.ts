import { type IncomingMessage, request } from "node:http";
import type { ChatCompletion, ChatCompletionChunk, ErrorBody } from "@openclaw/protocol";
import { expect } from "vitest";
import { type StartedGateway, TOKEN } from "./start-gateway.ts";

export type Door = Pick<StartedGateway, "request" | "port">;

type Body = Record<string, unknown>;

/** A request body that says "hi" unless told otherwise. */
export const hi = (more: Body = {}): Body => ({
  model: "openclaw",
  messages: [{ role: "user", content: "hi" }],
  ...more,
});

export async function ask(door: Door, body: Body = hi(), headers: Record<string, string> = {}) {
  const response = await door.request("/v1/chat/completions", { body, headers });
  const json = (await response.json()) as ChatCompletion & ErrorBody;
  return { response, status: response.status, json, text: json.choices?.[0]?.message.content };
}

/** What one streamed answer was made of, in order. */
export interface StreamedAnswer {
  response: Response;
  raw: string;
  chunks: ChatCompletionChunk[];
  comments: string[];
  text: string;
  /** Set when the stream ended with an error frame. */
  error: ErrorBody["error"] | undefined;
  finishReason: string | undefined;
}

/** Asks for a stream and reads it to its end, which must be one of the two a stream may have. */
export async function askStream(door: Door, body: Body = hi(), headers = {}): Promise<StreamedAnswer> {
  const response = await door.request("/v1/chat/completions", { body: { ...body, stream: true }, headers });
  expect(response.status).toBe(200);
  return readStream(response);
}

export async function readStream(response: Response): Promise<StreamedAnswer> {
  return { response, ...readAnswer(await response.text()) };
}

/** Takes a whole stream apart, and insists on exactly one proper ending. */
export function readAnswer(raw: string): Omit<StreamedAnswer, "response"> {
  expect(raw.endsWith("\n\n"), "the last frame is whole").toBe(true);
  const frames = raw.slice(0, -2).split("\n\n");
  const comments = frames.filter((frame) => frame.startsWith(":"));
  const data = frames
    .filter((frame) => !frame.startsWith(":"))
    .map((frame) => frame.replace(/^(?:id: .*\n)?data: /, ""));
  expect(data.filter((item) => item === "[DONE]")).toHaveLength(1);
  expect(data.pop()).toBe("[DONE]");
  const parsed = data.map((item) => JSON.parse(item) as ChatCompletionChunk & Partial<ErrorBody>);
  const errors = parsed.filter((item) => item.error !== undefined);
  const chunks = parsed.filter((item) => item.error === undefined);
  const reasons = chunks.map((item) => item.choices[0]?.finish_reason).filter((reason) => reason != null);
  expect(reasons.length + errors.length, "exactly one ending").toBe(1);
  if (errors.length > 0) expect(parsed.at(-1)).toBe(errors[0]);
  return {
    raw,
    chunks,
    comments,
    text: chunks.map((item) => item.choices[0]?.delta.content ?? "").join(""),
    error: errors[0]?.error,
    finishReason: reasons[0],
  };
}

/** A client that reads only when told, and can be killed. */
export interface RawClient {
  response: Promise<IncomingMessage>;
  /** Cuts the connection. */
  kill(): void;
  /** Settles when the connection is gone, whoever cut it. */
  closed: Promise<void>;
}

export function openRaw({ port }: Pick<Door, "port">, body: Body = hi(), headers = {}): RawClient {
  const sent = request({
    port,
    method: "POST",
    path: "/v1/chat/completions",
    agent: false,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
  });
  const response = new Promise<IncomingMessage>((resolve) => sent.once("response", resolve));
  void response.then((message) => message.on("error", () => {}));
  const closed = new Promise<void>((resolve) => sent.once("close", resolve));
  sent.on("error", () => {});
  sent.end(JSON.stringify(body));
  return { response, closed, kill: () => sent.destroy() };
}
