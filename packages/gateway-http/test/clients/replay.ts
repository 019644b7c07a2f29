import type { ChatCompletion, ErrorBody } from "@openclaw/protocol";
import { type ProviderGatewayOptions, startWithProvider } from "../support/provider-gateway.ts";
import { completion, type StandInProvider } from "../support/stand-in-provider.ts";
import type { StartedGateway } from "../support/start-gateway.ts";

/** A message as it goes over the wire. */
export interface Sent {
  role: "system" | "user" | "assistant";
  content: string;
}

/** One way to write a talk down: `user: one | assistant: answer 1`. */
const talk = (messages: readonly { role: string; content: unknown }[]) =>
  messages.map(({ role, content }) => `${role}: ${content}`).join(" | ");

type Exchange = StandInProvider["exchanges"][number];

export const heardIn = ({ json }: Exchange) => talk(json.messages);

type Door = StartedGateway & { provider: StandInProvider };

/**
 * A gateway whose provider answers at once: what is streamed is the talk and gets "answer 1", "answer 2", …; what is
 * not is a side task and gets a title.
 */
export async function startAnswering(options: ProviderGatewayOptions = {}) {
  let answers = 0;
  const door = await startWithProvider({
    ...options,
    async script(exchange) {
      if (!exchange.json.stream) return exchange.answer(200, completion('{ "title": "A title" }'));
      await exchange.open().say(`answer ${++answers}`);
      exchange.finish();
    },
  });
  return { ...door, heard: () => heardIn(door.provider.exchanges.at(-1) as Exchange) };
}

/** Takes the next request that reaches the provider and answers it. */
export async function answerNext({ provider }: Pick<Door, "provider">, text: string): Promise<Exchange> {
  const exchange = await provider.next();
  if (!exchange.json.stream) {
    exchange.answer(200, completion(text));
    return exchange;
  }
  await exchange.open().say(text);
  exchange.finish();
  return exchange;
}

/** `headOf` where the provider is answered by hand. */
export async function headByHand(door: Door, key: string): Promise<string> {
  const [head] = await Promise.all([headOf(door, key), answerNext(door, "ok")]);
  return head;
}

/** What the session's head remembers: what a caller hears who sends only something new. Moves the head, so ask last. */
export async function headOf(door: Door, key: string): Promise<string> {
  const response = await door.request("/v1/chat/completions", {
    body: { messages: [{ role: "user", content: "what was said?" }] },
    headers: { "x-openclaw-session-key": key },
  });
  await response.text();
  return talk((door.provider.exchanges.at(-1) as Exchange).json.messages.slice(0, -1));
}

/** A streamed request under way, and what its client has read so far. */
export interface Streaming {
  /** Settles when all of it was read, or it was stopped: the text, and how the answer began. */
  done: Promise<{ status: number; text: string; error: ErrorBody["error"] | undefined }>;
  /** Waits until this much was read. */
  reads(text: string): Promise<void>;
  /** Closes the connection, as both UIs do when somebody presses the stop button. */
  stop(): void;
}

export function openStream(
  { request }: Pick<StartedGateway, "request">,
  body: object,
  headers: Record<string, string>,
): Streaming {
  const stopping = new AbortController();
  let read = "";
  let text = "";
  let onText = () => {};
  return {
    stop: () => stopping.abort(),
    reads: (wanted) =>
      new Promise((resolve) => {
        onText = () => {
          if (text.includes(wanted)) resolve();
        };
        onText();
      }),
    done: run(),
  };

  async function run() {
    const init = { body, headers, signal: stopping.signal };
    const response = await request("/v1/chat/completions", init).catch(stopped);
    if (!response) return { status: 0, text, error: undefined };
    const { status } = response;
    if (status !== 200) return { status, text, error: ((await response.json()) as ErrorBody).error };
    for await (const piece of untilStopped(response)) {
      read += piece;
      text = textOf(read);
      onText();
    }
    return { status, text, error: undefined };
  }

  async function* untilStopped(response: Response): AsyncGenerator<string> {
    try {
      for await (const bytes of response.body as ReadableStream<Uint8Array>) yield Buffer.from(bytes).toString();
    } catch (error) {
      stopped(error);
    }
  }

  function stopped(error: unknown): undefined {
    if (!stopping.signal.aborted) throw error;
  }
}

function textOf(raw: string): string {
  const whole = raw.split("\n\n").slice(0, -1);
  const data = whole.filter((frame) => frame.startsWith("data: {")).map((frame) => JSON.parse(frame.slice(6)));
  return data.map((chunk) => chunk.choices?.[0]?.delta.content ?? "").join("");
}

/** A request that is not streamed: a side task. */
export async function askWhole(
  { request }: Pick<StartedGateway, "request">,
  body: object,
  headers: Record<string, string>,
) {
  const response = await request("/v1/chat/completions", { body, headers });
  const json = (await response.json()) as ChatCompletion & ErrorBody;
  return { status: response.status, key: response.headers.get("x-openclaw-session-key"), error: json.error };
}
