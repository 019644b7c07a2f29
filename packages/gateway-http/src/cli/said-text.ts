import type { ChatMessage } from "@openclaw/protocol/socket";

type Chat = { message?: ChatMessage | undefined; deltaText?: string | undefined };

/** What a run says, put together from what the socket tells: each piece once, also when some of it was missed. */
export class SaidText {
  #text = "";
  readonly #onText: ((text: string) => void) | undefined;

  /** @param onText handed each piece; without it, the text is only wanted as a whole */
  constructor(onText: ((text: string) => void) | undefined) {
    this.#onText = onText;
  }

  /** All of it so far. */
  get text(): string {
    return this.#text;
  }

  take({ message, deltaText = "" }: Chat): void {
    if (message) this.isAll(textOf(message));
    else this.#add(deltaText);
  }

  /** It has said this so far. What was handed on before cannot be taken back. */
  isAll(text: string): void {
    if (text.startsWith(this.#text)) this.#add(text.slice(this.#text.length));
    else if (!this.#onText) this.#text = text;
  }

  #add(text: string): void {
    if (text === "") return;
    this.#text += text;
    this.#onText?.(text);
  }
}

function textOf({ content }: ChatMessage): string {
  if (typeof content === "string") return content;
  return content.map((block) => (block.type === "text" && typeof block.text === "string" ? block.text : "")).join("");
}
