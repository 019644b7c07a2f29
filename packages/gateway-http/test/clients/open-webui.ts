import { randomUUID } from "node:crypto";
import type { StartedGateway } from "../support/start-gateway.ts";
import { ChatTree, type Shown, toSent } from "./chat-tree.ts";
import { askWhole, openStream, type Sent, type Streaming } from "./replay.ts";

/**
 * How the chat's id gets to the gateway. `connection`: headers of the connection (spec §10), which name tasks too.
 * `environment`: ENABLE_FORWARD_USER_INFO_HEADERS, which does not.
 */
export type Forwarding = "connection" | "environment";

/** backend/open_webui/constants.py, `TASKS`; `str()` of it is what `{{TASK}}` becomes. */
export type Task = "title_generation" | "tags_generation" | "follow_up_generation" | "query_generation";

export interface OpenWebUiOptions {
  forwarding?: Forwarding;
  /** The chat's system prompt, or the model's. */
  system?: string;
  id?: string;
}

/** One browser tab of Open WebUI (0.11) with a chat in it, and the backend's requests for it. */
export class OpenWebUi {
  readonly id: string;
  readonly tree = new ChatTree();
  readonly #door: Pick<StartedGateway, "request">;
  readonly #options: OpenWebUiOptions;

  constructor(door: Pick<StartedGateway, "request">, options: OpenWebUiOptions = {}) {
    this.#door = door;
    this.#options = options;
    this.id = options.id ?? randomUUID();
  }

  get sessionKey(): string {
    return `agent:main:openai-chat:${this.id}`;
  }

  /** A second tab on the same chat, as it is now. */
  anotherTab(): OpenWebUi {
    const tab = new OpenWebUi(this.#door, { ...this.#options, id: this.id });
    tab.tree.current = this.tree.current;
    return tab;
  }

  send(text: string, more: { context?: string } = {}) {
    return this.#finish(this.begin(text, more));
  }

  /** `send` without waiting for the answer. */
  begin(text: string, { context }: { context?: string } = {}): Streaming {
    this.tree.add("user", text);
    return this.#open(context);
  }

  /** Chat.svelte, `regenerateResponse`: the path to the question again. */
  regenerate(more: { context?: string } = {}) {
    this.tree.current = this.tree.last("user");
    return this.#finish(this.#open(more.context));
  }

  /** The pencil on a question, "Send": a sibling of it (Chat.svelte, `editMessage` with `submit`). */
  editQuestion(text: string, question = this.tree.last("user")) {
    this.tree.current = question.parent;
    return this.send(text);
  }

  /** The pencil on an answer, "Save": in place, nothing is sent. */
  editAnswer(text: string): void {
    this.tree.last("assistant").content = text;
  }

  /** The arrows under a message. */
  switchTo(message: Shown): void {
    this.tree.current = message;
  }

  /** Chat.svelte, `continueResponse`: the answer itself is the last message, and what comes is put at its end. */
  async continueAnswer(): Promise<void> {
    const answer = this.tree.last("assistant");
    const { text } = await this.#open().done;
    answer.content += text;
  }

  /** backend/open_webui/routers/tasks.py: one user message, not streamed, under the chat's id. */
  task(task: Task, prompt: string) {
    const body = { model: "openclaw", messages: [{ role: "user", content: prompt }], stream: false };
    // `max_completion_tokens` becomes this where the server is not OpenAI's (routers/openai.py).
    const limit = task === "title_generation" ? { max_tokens: 1000 } : {};
    return askWhole(this.#door, { ...body, ...limit }, this.#headers(task));
  }

  /** After an answer, one after the other (utils/middleware.py, `background_tasks_handler`). */
  async tasksAfterAnswer(): Promise<void> {
    await this.task("follow_up_generation", followUpPrompt(this.#shown()));
    await this.task("title_generation", titlePrompt(this.#shown()));
    await this.task("tags_generation", tagsPrompt(this.#shown()));
  }

  /** Since 0.11 together with a chat's first question, whose answer is still empty (main.py, issue 28638). */
  firstTitle(question: string) {
    const shown = [toShown("user", question), toShown("assistant", "")];
    return this.task("title_generation", titlePrompt(shown));
  }

  /** Before the question itself where something is to be retrieved (utils/middleware.py). */
  queries() {
    return this.task("query_generation", queryPrompt(this.#shown()));
  }

  /** Writes down what a stopped answer had got to. */
  keep(text: string): void {
    this.tree.add("assistant", text);
  }

  #shown(): Shown[] {
    return this.tree.path();
  }

  async #finish(streaming: Streaming) {
    const { status, text, error } = await streaming.done;
    if (status === 200) this.tree.add("assistant", text);
    return { status, error };
  }

  /** routers/openai.py, `generate_chat_completion`: `metadata` is taken out, `stream_options` only if the model has it. */
  #open(context?: string): Streaming {
    const messages: Sent[] = this.#shown().map(toSent);
    const last = messages.at(-1);
    if (context !== undefined && last) last.content = ragPrompt(context, last.content);
    if (this.#options.system) messages.unshift({ role: "system", content: this.#options.system });
    const body = { stream: true, model: "openclaw", messages, stream_options: { include_usage: true } };
    return openStream(this.#door, body, this.#headers());
  }

  /** utils/headers.py, `parse_custom_headers`: without a task `{{TASK}}` is empty, and the header is sent so. */
  #headers(task = ""): Record<string, string> {
    if (this.#options.forwarding !== "environment") {
      return { "x-openwebui-chat-id": this.id, "x-openclaw-task": task };
    }
    // utils/headers.py, `include_user_info_headers`, and FORWARD_SESSION_INFO_HEADER_CHAT_ID of env.py.
    return {
      "X-OpenWebUI-User-Name": "Ann%20Example",
      "X-OpenWebUI-User-Id": "4b2c1f9e-6d0a-4f7e-9b58-0c8f5a3d2e10",
      "X-OpenWebUI-User-Email": "ann@example.com",
      "X-OpenWebUI-User-Role": "user",
      "X-OpenWebUI-Chat-Id": this.id,
    };
  }
}

const toShown = (role: Shown["role"], content: string): Shown => ({ parent: undefined, role, content });

/** utils/misc.py, `get_messages_content`, of the last so many. */
const history = (shown: readonly Shown[], count: number) =>
  shown
    .slice(-count)
    .map(({ role, content }) => `${role.toUpperCase()}: ${content}`)
    .join("\n");

// The beginnings and ends of the templates of backend/open_webui/config.py (DEFAULT_*_PROMPT_TEMPLATE): what lies
// between them is long, and always the same.

const titlePrompt = (shown: readonly Shown[]) => `### Task:
Generate a concise title summarizing the chat history.
### Output:
JSON format: { "title": "your concise title here" }
### Chat History:
<chat_history>
${history(shown, 2)}
</chat_history>`;

const tagsPrompt = (shown: readonly Shown[]) => `### Task:
Generate 1-3 broad tags categorizing the main themes of the chat history, along with 1-3 more specific subtopic tags.

### Output:
JSON format: { "tags": ["tag1", "tag2", "tag3"] }

### Chat History:
<chat_history>
${history(shown, 6)}
</chat_history>`;

const followUpPrompt = (shown: readonly Shown[]) => `### Task:
Suggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next in this conversation as a **user**, based on the chat history, to help continue or deepen the discussion.
### Output:
JSON format: { "follow_ups": ["Question 1?", "Question 2?", "Question 3?"] }
### Chat History:
<chat_history>
${history(shown, 6)}
</chat_history>`;

const queryPrompt = (shown: readonly Shown[]) => `### Task:
Analyze the chat history to determine the necessity of generating search queries, in the given language.

### Output:
Strictly return in JSON format:
{
  "queries": ["query1", "query2"]
}

### Chat History:
<chat_history>
${history(shown, 6)}
</chat_history>`;

/** `DEFAULT_RAG_TEMPLATE` before the question (utils/misc.py, `add_or_update_user_message` with `append=False`). */
export const ragPrompt = (context: string, question: string) => `### Task:
Respond to the user query using the provided context, incorporating inline citations in the format [id] **only when the <source> tag includes an explicit id attribute** (e.g., <source id="1">).

<context>
<source id="1" name="notes.txt">${context}</source>
</context>

${question}`;
