import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "../chat/turn.ts";
import type { ModelRequest, StreamModel } from "./model.ts";

/** Between two words, so that a person sees the answer being written. Milliseconds. */
const WORD_PAUSE_MS = 15;

/**
 * The model that needs no provider: the same words for the same talk, streamed word by word. It says what it is, how
 * to get a real one, and shows what the session remembers.
 */
export const streamDemo: StreamModel = async function* (request, { signal }) {
  const words = demoAnswer(request.messages).split(/(?<= )/);
  if (!request.stream) yield words.map((text) => ({ type: "text-delta", text }));
  else {
    for (const text of words) {
      yield [{ type: "text-delta", text }];
      await sleep(WORD_PAUSE_MS, undefined, { signal });
    }
  }
};

function demoAnswer(messages: ModelRequest["messages"]): string {
  const said = messages.filter((message) => message.role === "user").map(({ content }) => firstLine(textOf(content)));
  const last = said.pop() ?? "";
  const count = said.length === 1 ? "one message" : `${said.length} messages`;
  const memory =
    said.length === 0
      ? "It is the first thing I hear in this session."
      : `Before that I heard ${count} in this session, the first was “${said[0]}”.`;
  return (
    `Hello! You said “${last}”. ${memory} ` +
    "I am the demo: no model is connected, I only repeat what I hear. " +
    "To talk to a real model, put agents.defaults.model into the config file (ollama/llama3.2, or openai/<model> with OPENAI_API_KEY set), " +
    "or start openclaw-gateway with --model."
  );
}

function firstLine(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
