import { isDeepStrictEqual } from "node:util";
import { ProtocolSchemas } from "@openclaw/gateway-protocol/schema";
import {
  type EventFrame,
  eventFrameSchema,
  helloOkSchema,
  type ResponseFrame,
  responseFrameSchema,
  SOCKET_EVENTS,
  SOCKET_METHODS,
  type SocketEventName,
  type SocketMethodName,
} from "@openclaw/protocol/socket";
import { Compile, type Validator } from "typebox/compile";
import { expect, onTestFinished } from "vitest";
import type { z } from "zod";
import { connectSocket, type SocketClient, type SocketClientOptions } from "./socket-client.ts";
import { TalkJudge } from "./talk-judge.ts";

type UpstreamName = keyof typeof ProtocolSchemas;

/** Results by their methods, events by their names, where the published schema is one that upstream keeps to itself. */
const UPSTREAM_RESULTS: Readonly<Record<string, UpstreamName>> = {
  connect: "HelloOk",
  "agents.list": "AgentsListResult",
  "agent.identity.get": "AgentIdentityResult",
  "models.list": "ModelsListResult",
  "commands.list": "CommandsListResult",
  "question.list": "QuestionListResult",
  "sessions.create": "SessionsCreateResult",
  "sessions.resolve": "SessionsResolveResult",
  "sessions.delete": "SessionsDeleteResult",
};
const UPSTREAM_EVENTS: Readonly<Record<string, UpstreamName>> = {
  chat: "ChatEvent",
  tick: "TickEvent",
  shutdown: "ShutdownEvent",
};

/** Characters of a fault that are told. */
const MAX_FAULT = 500;

const compiled = new Map<UpstreamName, Validator>();

/** Reads along with one connection and finds what breaks the protocol: as it is published, and as it is written here. */
export class Referee {
  readonly faults: string[] = [];
  /** Events and results that were looked at, by name. */
  readonly seen = new Set<string>();
  readonly #methods = new Map<string, string>();
  readonly #talk = new TalkJudge((fault) => this.#fault(fault));

  sent(text: string): void {
    try {
      const { type, id, method } = JSON.parse(text);
      if (type === "req") this.#methods.set(id, method);
    } catch {
      // What is no frame has no answer.
    }
  }

  received(frame: EventFrame | ResponseFrame): void {
    if (frame.type === "event") this.#event(frame);
    else this.#response(frame);
  }

  #fault(text: string): void {
    this.faults.push(text.slice(0, MAX_FAULT));
  }

  #event(frame: EventFrame): void {
    const { event } = frame;
    const payload = frame.payload as Record<string, unknown>;
    this.seen.add(event);
    this.#upstream("EventFrame", frame, event);
    this.#ours(eventFrameSchema, frame, event);
    if (Object.hasOwn(SOCKET_EVENTS, event)) this.#ours(SOCKET_EVENTS[event as SocketEventName], payload, event);
    else this.#fault(`an event of an unknown name: ${event}`);
    // Whose it is, is told only to those who hear of others, and more than the published schema has.
    const { owner, ...published } = payload;
    const name = UPSTREAM_EVENTS[event];
    if (name) this.#upstream(name, published, event);
    if (payload.session) this.#upstream("SessionRow", payload.session, event);
    this.#talk.event(frame);
  }

  #response(frame: ResponseFrame): void {
    const { id, ok, payload, error } = frame;
    const method = this.#methods.get(id) ?? "connect";
    this.seen.add(method);
    this.#upstream("ResponseFrame", frame, method);
    this.#ours(responseFrameSchema, frame, method);
    if (ok !== (error === undefined)) this.#fault(`${method}: ok is ${ok}, with ${JSON.stringify(error)}`);
    if (payload === undefined || (!ok && method === "connect")) return;
    const ours = method === "connect" ? helloOkSchema : SOCKET_METHODS[method as SocketMethodName]?.result;
    if (ours) this.#ours(ours, payload, method);
    const name = UPSTREAM_RESULTS[method];
    if (name) this.#upstream(name, payload, method);
    const { session, sessions, sessionInfo } = payload as { session?: object; sessions?: object; sessionInfo?: object };
    const rows = [session, sessionInfo, ...(Array.isArray(sessions) ? sessions : [])];
    for (const row of rows) if (row) this.#upstream("SessionRow", row, method);
  }

  #upstream(name: UpstreamName, value: unknown, what: string): void {
    const validator = compiled.get(name) ?? Compile(ProtocolSchemas[name]);
    compiled.set(name, validator);
    if (validator.Check(value)) return;
    const errors = [...validator.Errors(value)].map(({ instancePath, message }) => `${instancePath} ${message}`);
    this.#fault(`${what} is no ${name}: ${errors.slice(0, 5).join("; ")} in ${JSON.stringify(value)}`);
  }

  /** A schema takes away what it does not know: then something is sent that it does not tell of. */
  #ours(schema: z.ZodType, value: unknown, what: string): void {
    const { data, error } = schema.safeParse(value);
    if (error) this.#fault(`${what}: ${error.message} in ${JSON.stringify(value)}`);
    else if (!isDeepStrictEqual(data, value)) this.#fault(`${what} has more than its schema: ${JSON.stringify(value)}`);
  }
}

/** Lets a referee read along with a client, to the end of the test. */
function watchFrames<Client extends SocketClient>(client: Client): Client {
  const referee = new Referee();
  const send = client.send.bind(client);
  client.send = (frame) => {
    referee.sent(typeof frame === "string" ? frame : JSON.stringify(frame));
    send(frame);
  };
  onTestFinished(() => {
    for (const frame of client.frames) referee.received(frame);
    expect(referee.faults).toEqual([]);
  });
  return client;
}

/** A client that was let in, all of whose frames are looked at. */
export async function connectWatched(url: string, options: SocketClientOptions = {}) {
  return watchFrames(await connectSocket(url, options));
}
