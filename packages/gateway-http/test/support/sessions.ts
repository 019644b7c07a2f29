import { type Session, sessionSchema } from "@openclaw/protocol";
import { expect } from "vitest";
import type { TurnMessage } from "../../src/chat/turn.ts";
import { agentOf } from "./agents.ts";
import { expectEnvelope } from "./raw-http.ts";
import { type StartOptions, startGateway, TOKEN } from "./start-gateway.ts";

/** What a call was answered with: its JSON, and the error if it is one. */
interface Called {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for, and schemas check the shapes.
  json: any;
}

/** The path of a session, its key encoded, and of what is under it. */
export const pathOf = (key: string, rest = "") => `/v1/sessions/${encodeURIComponent(key)}${rest}`;

export const user = (content: string): TurnMessage => ({ role: "user", content });

/** A gateway whose agent answers `re: <what it was told last>`, and what the tests of its sessions need. */
export async function startWithSessions(options: StartOptions = {}) {
  const agent = agentOf(async function* ({ messages }) {
    yield `re: ${messages.at(-1)?.content}`;
  });
  const started = await startGateway({ agents: [agent], store: "sqlite", ...options });
  const { gateway, url } = started;

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const called: Called = { status: response.status, headers: response.headers, json: await response.json() };
    expect(called.headers.get("cache-control")).toBe("no-store");
    return called;
  }

  return {
    ...started,
    call,
    /** Says something in a session, as an embedder does, and waits for the answer. */
    async say(key: string, messages: readonly TurnMessage[], owner = "operator"): Promise<string> {
      const turn = { messages, instructions: [], params: {}, stream: false };
      const session = { owner, key, stateless: false };
      const run = gateway.runs.start({ agent: gateway.defaultAgent, turn, session });
      await run.result;
      return run.id;
    },
    async session(key: string): Promise<Session> {
      const { status, json } = await call("GET", pathOf(key));
      expect([status, json.error]).toEqual([200, undefined]);
      return sessionSchema.parse(json);
    },
    /** Calls what must be refused, and returns `<code> <param>`. */
    async refused(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<string> {
      const { status, json } = await call(method, path, body, headers);
      const { code, param } = expectEnvelope(status, JSON.stringify(json));
      return `${code} ${param}`;
    },
    /** The messages of a branch as text, all pages; the head's when no leaf is named. */
    async talk(key: string, leaf?: string): Promise<string[]> {
      const query = `?limit=100${leaf === undefined ? "" : `&leaf=${encodeURIComponent(leaf)}`}`;
      const { json } = await call("GET", pathOf(key, `/messages${query}`));
      return json.data.map(({ content }: { content: string }) => content);
    },
  };
}
