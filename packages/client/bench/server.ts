/**
 * A gateway as seen by who reads its streams: a process of its own that answers any question with as many chunks as its
 * path says, `/<mode>/<chunks>/v1/chat/completions`. It ends with whoever started it.
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { HEADERS, SSE_CONTENT_TYPE, SSE_DONE_FRAME } from "@openclaw/protocol/wire";
import { wordAt } from "./text.ts";

/** Characters of one write where many events travel together, as a gateway gathers them. */
const BATCH = 16 * 1024;
/** Milliseconds between two events of a paced stream. */
const PACE = 4;
const CREATED = 1_760_000_000;

let count = 0;
/** Held streams go on when this settles. */
let release = Promise.withResolvers<void>();

const modes: Record<string, (response: ServerResponse, frames: Frames) => Promise<void>> = {
  async flat(response, frames) {
    for (let batch = ""; frames.left() > 0; batch = "") {
      while (frames.left() > 0 && batch.length < BATCH) batch += frames.next();
      await write(response, batch);
    }
  },
  async single(response, frames) {
    while (frames.left() > 0) await write(response, frames.next());
  },
  async paced(response, frames) {
    while (frames.left() > 0) {
      await write(response, frames.next());
      await sleep(PACE);
    }
  },
  async held(response, frames) {
    const half = frames.left() / 2;
    while (frames.left() > 0) {
      await write(response, frames.next());
      if (frames.left() === half) await release.promise;
      await nextTurn();
    }
  },
};

const server = createServer(async (request, response) => {
  request.resume();
  const [, mode = "", chunks = ""] = (request.url ?? "").split("/");
  if (mode === "release") {
    release.resolve();
    release = Promise.withResolvers();
    response.end();
    return;
  }
  const id = `chatcmpl-bench-${++count}`;
  response.writeHead(200, { "content-type": SSE_CONTENT_TYPE, "cache-control": "no-store", [HEADERS.runId]: id });
  await modes[mode]?.(response, createFrames(id, Number(chunks)));
  response.end(SSE_DONE_FRAME);
});
server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
process.once("disconnect", () => process.exit());

interface Frames {
  next(): string;
  left(): number;
}

/** The frames of a gateway: one that says who speaks, the text, one that says why it ends. */
function createFrames(id: string, chunks: number): Frames {
  const head = `{"id":"${id}","object":"chat.completion.chunk","created":${CREATED},"model":"openclaw"`;
  let position = 0;
  const deltaAt = (text: number) => {
    if (text < 0) return `{"role":"assistant","content":""}`;
    return text < chunks ? `{"content":${JSON.stringify(wordAt(text))}}` : "{}";
  };
  return {
    left: () => chunks + 2 - position,
    next() {
      const finish = position <= chunks ? "null" : '"stop"';
      const choice = `{"index":0,"delta":${deltaAt(position - 1)},"finish_reason":${finish}}`;
      return `id: ${id}:${position++}\ndata: ${head},"choices":[${choice}]}\n\n`;
    },
  };
}

async function write(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text)) await once(response, "drain");
}
