import { randomUUID } from "node:crypto";
import type { StartedGateway } from "../support/start-gateway.ts";
import { ChatTree, toSent } from "./chat-tree.ts";
import { askWhole, openStream, type Sent, type Streaming } from "./replay.ts";

/** What librechat.yaml says of the custom endpoint. */
export interface Endpoint {
  /** Values may have placeholders. */
  headers?: Record<string, string>;
  dropParams?: string[];
}

/** The account's id: what LibreChat sends as `user` (packages/api/src/endpoints/custom/initialize.ts). */
export const ACCOUNT = "66b1f0c2a7d94e0012c3d4e5";

/** One conversation of LibreChat (0.8) at a custom endpoint. */
export class LibreChat {
  /**
   * The browser says "new" or nothing at first; the server makes a UUID of it before anything is sent to the model
   * (api/server/controllers/agents/request.js), so placeholders have it from the first request on (pull request 9344).
   */
  readonly conversationId = randomUUID();
  readonly tree = new ChatTree();
  readonly #door: Pick<StartedGateway, "request">;
  readonly #endpoint: Endpoint;
  readonly #instructions: string | undefined;

  constructor(door: Pick<StartedGateway, "request">, endpoint: Endpoint = {}, instructions?: string) {
    this.#door = door;
    this.#endpoint = endpoint;
    this.#instructions = instructions;
  }

  async send(text: string) {
    return this.#finish(this.begin(text));
  }

  begin(text: string): Streaming {
    this.tree.add("user", text);
    return this.#open();
  }

  /** `isRegenerate`: the path to the question again. */
  regenerate() {
    this.tree.current = this.tree.last("user");
    return this.#finish(this.#open());
  }

  /** "Edit", "Save & Submit": a sibling of the question. */
  editQuestion(text: string, question = this.tree.last("user")) {
    this.tree.current = question.parent;
    return this.send(text);
  }

  /** "Edit", "Save" on an answer: in place, nothing is sent. */
  editAnswer(text: string): void {
    this.tree.last("assistant").content = text;
  }

  /**
   * `titleTiming: "immediate"`, the default: as soon as the first question is sent and beside it, from the question
   * alone (pull request 13395). With the headers and parameters of the talk, except that it is not streamed.
   */
  title(question: string) {
    return this.#title(question, "");
  }

  /** `titleTiming: "final"`: after the first answer. */
  finalTitle() {
    const [question, answer] = this.tree.path();
    return this.#title(question?.content ?? "", answer?.content ?? "");
  }

  async #finish(streaming: Streaming) {
    const { status, text, error } = await streaming.done;
    if (status === 200) this.tree.add("assistant", text);
    return { status, error };
  }

  /** LangChain's ChatOpenAI; plain strings, because custom endpoints have `useLegacyContent`. */
  #open(): Streaming {
    const messages: Sent[] = this.tree.path().map(toSent);
    if (this.#instructions) messages.unshift({ role: "system", content: this.#instructions });
    const body = { ...this.#params(), stream: true, stream_options: { include_usage: true }, messages };
    return openStream(this.#door, body, this.#headers());
  }

  /** `titleMethod: "completion"`; the prompt is that of @librechat/agents, src/utils/title.ts and src/run.ts. */
  #title(question: string, answer: string) {
    const content = `Provide a concise, 5-word-or-less title for the conversation, using its same language, with no punctuation. Apply title case conventions appropriate for the language. Never directly mention the language name or the word "title" and only return the title itself.

Conversation:
User: ${question}
AI: ${answer}`;
    const body = { ...this.#params(), stream: false, messages: [{ role: "user", content }] };
    return askWhole(this.#door, body, this.#headers());
  }

  #params(): Record<string, unknown> {
    const params: Record<string, unknown> = { model: "openclaw", user: ACCOUNT };
    for (const name of this.#endpoint.dropParams ?? []) delete params[name];
    return params;
  }

  /** packages/api/src/utils/env.ts, `processBodyPlaceholders`. */
  #headers(): Record<string, string> {
    const { headers = {} } = this.#endpoint;
    const resolve = (value: string) => value.replaceAll("{{LIBRECHAT_BODY_CONVERSATIONID}}", this.conversationId);
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, resolve(value)]));
  }
}
