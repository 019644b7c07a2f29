import { StringDecoder } from "node:string_decoder";
import type { AgentEvent } from "../chat/run-event.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type CallState, createCallState, type ForeignChunk, toEvents } from "./chunk-events.ts";
import { type ContentTemplate, isPlain, learnTemplate, readPlain } from "./content-template.ts";

/** Longest event a provider may send, in UTF-16 code units. */
const MAX_EVENT_LENGTH = 4 * 1024 * 1024;
/** A provider whose envelope changes with every chunk, or cannot be learnt, is not worth more guesses. */
const MAX_GUESSES = 8;
/** Learning would hold up the first tokens, of which the first has another envelope with many providers. */
const UNLEARNT = 2;

export interface ChunkDecoder {
  readonly state: CallState;
  /** Whether `[DONE]` was read. */
  readonly done: boolean;
  /** Why nothing more can be read. What was decoded before it still counts. */
  readonly failure: unknown;
  /** The events in the bytes read next, which may begin and end anywhere. Never throws. */
  decode(bytes: Uint8Array): AgentEvent[];
}

/**
 * Reads the byte stream of an OpenAI-compatible provider.
 *
 * Every event is found by its blank line and parsed, with one short cut: once a plain content delta was parsed, the
 * next ones that have the same bytes around their text are taken without parsing. What does not fit the short cut to
 * the byte goes the long way, so both give the same events.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 * @param onError makes the error for an error object that the provider sent as an event
 * @param isStructured whether the answer is to be JSON
 */
export function createChunkDecoder(onError: (error: unknown) => GatewayError, isStructured = false): ChunkDecoder {
  const utf8 = new StringDecoder("utf8");
  const state = createCallState(isStructured);
  let rest = "";
  let endsWithReturn = false;
  let endsWithLine = false;
  let started = false;
  let done = false;
  let failure: unknown;
  let template: ContentTemplate | undefined;
  let guesses = 0;
  let plain = 0;

  /** Without a byte order mark, and with LF for each line end: LF, CRLF or CR. A read may end between CR and LF. */
  function normalise(read: string): string {
    if (read === "") return read;
    let text = read;
    if (!started && text.startsWith("\ufeff")) text = text.slice(1);
    started = true;
    if (endsWithReturn && text.startsWith("\n")) text = text.slice(1);
    endsWithReturn = read.endsWith("\r");
    return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  }

  /** Reads the whole events of `text` and returns where the last of them ends. */
  function readEvents(text: string, events: AgentEvent[]): number {
    let at = 0;
    for (let end = text.indexOf("\n\n"); end !== -1 && !done; end = text.indexOf("\n\n", at)) {
      end += 2;
      const literal = template && readPlain(text, at, end, template);
      if (literal === undefined) {
        readEvent(text.slice(at, end), events);
      } else if (literal !== "") {
        state.spoke = true;
        add({ type: "text-delta", text: literal }, events);
      }
      at = end;
    }
    return at;
  }

  function readEvent(event: string, events: AgentEvent[]): void {
    const data = dataOf(event);
    if (data === undefined) return;
    if (data.trim() === "[DONE]") {
      done = true;
      return;
    }
    const chunk = parse(data);
    if (chunk.error != null) throw onError(chunk.error);
    // vLLM's errors are not wrapped in a member of that name.
    if (chunk.object === "error") throw onError(chunk);
    for (const said of toEvents(chunk, state)) add(said, events);
    if (guesses < MAX_GUESSES && isPlain(chunk) && ++plain > UNLEARNT) {
      guesses++;
      template = learnTemplate(event, chunk) ?? template;
    }
  }

  return {
    state,
    get done() {
      return done;
    },
    get failure() {
      return failure;
    },
    decode(bytes) {
      const events: AgentEvent[] = [];
      const read = normalise(utf8.write(bytes as Buffer));
      if (read === "" || done || failure !== undefined) return events;
      // Only then is what was kept looked at: a long event in many reads costs its length, not its square.
      const endsEvent = read.includes("\n\n") || (endsWithLine && read.startsWith("\n"));
      endsWithLine = read.endsWith("\n");
      rest += read;
      try {
        if (endsEvent) rest = rest.slice(readEvents(rest, events));
        if (rest.length > MAX_EVENT_LENGTH) {
          throw new GatewayError("provider_bad_response", "The provider sent an event without an end.");
        }
      } catch (error) {
        failure = error;
      }
      return events;
    },
  };
}

/**
 * Text that was read together leaves as one delta: when tokens come faster than they can be passed on, each costs less
 * instead of all coming later.
 */
function add(event: AgentEvent, events: AgentEvent[]): void {
  const last = events.at(-1);
  if (event.type === "text-delta" && last?.type === "text-delta") last.text += event.text;
  else events.push(event);
}

/** The data of one event, `undefined` when it has none (comments, `retry:`). */
function dataOf(event: string): string | undefined {
  let data: string | undefined;
  for (const line of event.split("\n")) {
    if (!line.startsWith("data:")) continue;
    const value = line.startsWith("data: ") ? line.slice(6) : line.slice(5);
    data = data === undefined ? value : `${data}\n${value}`;
  }
  return data;
}

function parse(data: string): ForeignChunk {
  try {
    const chunk: unknown = JSON.parse(data);
    if (typeof chunk === "object" && chunk !== null && !Array.isArray(chunk)) return chunk as ForeignChunk;
  } catch {
    // Said below, without the provider's bytes.
  }
  throw new GatewayError("provider_bad_response", "The provider sent an event that is not a JSON object.");
}
