import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { startServer } from "./raw-server.ts";
import { DONE, error, frame, SSE } from "./wire.ts";

/** What becomes of one connection. */
export type Fate =
  /** Everything, well. */
  | { type: "whole" }
  /** This many bytes of what it was to get, then a good end or none. */
  | { type: "cut"; after: number; how?: "end" | "destroy" }
  /** An error in place of the answer. */
  | { type: "refuse"; status: number; code: string; headers?: Record<string, string> }
  /** This many events of what it was to get, then the word that the gateway shuts down. */
  | { type: "drain"; after: number; retry?: number }
  /** Headers, these many events of what it was to get, and then silence. */
  | { type: "silence"; after: number }
  /** Not even headers. */
  | { type: "nothing" };

interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

interface Options {
  maxRetries?: number;
  /** Frames of every answer, without ids. */
  answer: readonly string[];
  /** Of connection number `n`, counted from 0, under this key. */
  fate: (n: number, key: string) => Fate;
  /** Whether it knows keys. */
  keyed?: boolean;
}

/** A stand-in for a gateway with a journal: the same key finds the same run, and a run is started once. */
export async function startKeyedServer({ answer, fate, keyed = true, maxRetries = 2 }: Options) {
  const runs = new Map<string, { id: string; body: string; connections: number }>();
  const asked: Asked[] = [];
  const cancels: Asked[] = [];
  let started = 0;

  const { client, server } = await startServer(
    async (response, request) => {
      const { method = "", url = "", headers } = request;
      const one = { method, url, headers, body: await text(request) };
      if (url.endsWith("/cancel")) {
        cancels.push(one);
        return json(response, 200, { id: url.split("/").at(-2), cancelled: true });
      }
      asked.push(one);
      const key = keyed ? headers["idempotency-key"] : undefined;
      if (typeof key !== "string") return follow(response, fate(started, ""), `run-${++started}`, answer);
      const known = runs.get(key);
      const after = headers["last-event-id"];
      if (!known && after) return json(response, 409, error("resume_lost", "It is gone.", "invalid_request_error"));
      if (known && known.body !== one.body) return json(response, 409, error("idempotency_key_conflict"));
      const run = known ?? { id: `run-${++started}`, body: one.body, connections: 0 };
      runs.set(key, run);
      const numbered = answer.map((event, n) => `id: ${run.id}:${n}\n${event}`);
      const [id, n] = String(after ?? `${run.id}:-1`).split(":");
      if (id !== run.id) return json(response, 400, error("invalid_resume"));
      follow(response, fate(run.connections++, key), run.id, numbered.slice(Number(n) + 1), known !== undefined);
    },
    { maxRetries, keepBody: true },
  );
  return { client, server, asked, cancels, runs, startedRuns: () => started };
}

function follow(response: ServerResponse, fate: Fate, id: string, events: readonly string[], replayed = false) {
  if (fate.type === "nothing") return response;
  if (fate.type === "refuse") return json(response, fate.status, error(fate.code), fate.headers);
  response.writeHead(200, { ...SSE, "x-openclaw-run-id": id, ...(replayed && { "idempotency-replayed": "true" }) });
  response.flushHeaders();
  if (fate.type === "whole") return response.end(events.join(""));
  if (fate.type === "cut") {
    const bytes = Buffer.from(events.join("")).subarray(0, fate.after);
    if (fate.how === "end") return response.end(bytes);
    return response.write(bytes, () => setImmediate(() => response.destroy()));
  }
  const some = events.slice(0, fate.after).join("");
  if (fate.type === "silence") return response.write(`${some}: keep-alive\n\n`);
  const retry = fate.retry === undefined ? "" : `retry: ${fate.retry}\n\n`;
  response.end(
    some + retry + frame(error("gateway_draining", "Come back with the key.", "service_unavailable")) + DONE,
  );
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}) {
  return response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
