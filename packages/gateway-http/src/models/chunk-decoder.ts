import { StringDecoder } from "node:string_decoder";
import type { AgentEvent } from "../chat/run-event.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { type CallState, createCallState, type ForeignChunk, toEvents } from "./chunk-events.ts";
import { type ContentTemplate, learnTemplate, readPlain } from "./content-template.ts";

/** Longest event a provider may send, in UTF-16 code units. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;
/** A provider whose envelope changes with every chunk is not worth more guesses. */
const MAX_TEMPLATES = 8;

export interface ChunkDecoder {
  readonly state: CallState;
  /** Whether `[DONE]` was read. */
  readonly done: boolean;
  /** The events in the bytes read next, which may begin and end anywhere. */
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
 */
export function createChunkDecoder(onError: (error: unknown) => GatewayError): ChunkDecoder {
  const utf8 = new StringDecoder("utf8");
  const state = createCallState();
  let rest = "";
  let heldReturn = "";
  let started = false;
  let done = false;
  let template: ContentTemplate | undefined;
  let guesses = 0;

  /** Line ends may be LF, CRLF or CR, and a read may end between CR and LF. */
  function withoutReturns(read: string): string {
    let text = heldReturn + read;
    heldReturn = "";
    if (!text.includes("\r")) return text;
    if (text.endsWith("\r")) {
      heldReturn = "\r";
      text = text.slice(0, -1);
    }
    return text.replace(/\r\n?/g, "\n");
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
    events.push(...toEvents(chunk, state));
    if (guesses < MAX_TEMPLATES) {
      const learnt = learnTemplate(event, chunk);
      if (learnt) {
        template = learnt;
        guesses++;
      }
    }
  }

  return {
    state,
    get done() {
      return done;
    },
    decode(bytes) {
      const events: AgentEvent[] = [];
      let text = rest + withoutReturns(utf8.write(bytes as Buffer));
      if (!started && text !== "") {
        started = true;
        if (text.startsWith("\ufeff")) text = text.slice(1);
      }
      let at = 0;
      while (at < text.length && !done) {
        const end = text.indexOf("\n\n", at);
        if (end === -1) break;
        const literal = template && readPlain(text, at, end + 2, template);
        if (literal === undefined) readEvent(text.slice(at, end + 2), events);
        else if (literal !== "") {
          state.spoke = true;
          events.push({ type: "text-delta", text: literal });
        }
        at = end + 2;
      }
      rest = text.slice(at);
      if (rest.length > MAX_EVENT_LENGTH) {
        throw new GatewayError("provider_bad_response", "The provider sent an event without an end.");
      }
      return events;
    },
  };
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
    if (typeof chunk === "object" && chunk !== null) return chunk as ForeignChunk;
  } catch {
    // Said below, without the provider's bytes.
  }
  throw new GatewayError("provider_bad_response", "The provider sent an event that is not a JSON object.");
}
