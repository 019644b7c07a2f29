import { Agent, type IncomingMessage, request } from "node:http";

export type Call = {
  token?: string | undefined;
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: object;
  /** Over a connection that others used before. Streams have one of their own. */
  reuse?: boolean;
};

export type Answer = {
  /** Ours, so that the log can be asked whether the request came that far. */
  requestId: string;
  status: number;
  headers: IncomingMessage["headers"];
  /** Of an answer that is no stream. */
  text: string;
  /** What was said, token by token, and the ids that the events had. */
  content: string;
  ids: string[];
  /** Of the error, by whichever way it was told. */
  code: string | undefined;
  hasFinish: boolean;
  hasDone: boolean;
  /** `whole`: ended as HTTP ends an answer; `cut`: not; `left`: by us. */
  end: "whole" | "cut" | "left";
  /** What the socket said, when there was no answer at all. */
  failure: string | undefined;
  firstMs: number;
  ms: number;
};

/** What a reader does besides reading. */
export type Reader = {
  /** Leaves after so many frames with words. */
  leaveAfter?: number;
  /** Reads nothing for so long after the head, and then all. */
  stallMs?: number;
  /** Rests so long after each piece. */
  restMs?: number;
};

let requests = 0;
const keepAlive = new Agent({ keepAlive: true, maxFreeSockets: 8 });

/** Connections that wait for their next use would count as the gateway's. */
export function closeIdleConnections(): void {
  keepAlive.destroy();
}

/** One request to its end, whatever that is. It never rejects. */
export async function exchange(port: number, call: Call, reader: Reader = {}): Promise<Answer> {
  const answer = await exchangeOnce(port, call, reader);
  // A server may close an idle connection in the moment in which it is used again: nothing was asked then.
  return answer.failure === "reused" ? exchangeOnce(port, { ...call, reuse: false }, reader) : answer;
}

function exchangeOnce(port: number, call: Call, reader: Reader): Promise<Answer> {
  const startedAt = performance.now();
  const answer: Answer = {
    requestId: `soak-${++requests}`,
    status: 0,
    headers: {},
    text: "",
    content: "",
    ids: [],
    code: undefined,
    hasFinish: false,
    hasDone: false,
    end: "cut",
    failure: undefined,
    firstMs: Number.NaN,
    ms: Number.NaN,
  };
  return new Promise((resolve) => {
    const settle = () => {
      answer.ms = performance.now() - startedAt;
      resolve(answer);
    };
    const body = call.body && JSON.stringify(call.body);
    const sent = request({
      port,
      host: "127.0.0.1",
      agent: call.reuse ? keepAlive : false,
      method: call.method ?? (body === undefined ? "GET" : "POST"),
      path: call.path ?? "/v1/chat/completions",
      headers: {
        "x-request-id": answer.requestId,
        ...(call.token !== undefined && { authorization: `Bearer ${call.token}` }),
        ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        ...call.headers,
      },
    });
    sent.on("error", (error) => {
      if (answer.status !== 0) return;
      answer.failure = sent.reusedSocket ? "reused" : error.message;
      settle();
    });
    sent.on("response", (response) => {
      answer.status = response.statusCode ?? 0;
      answer.headers = response.headers;
      const isStream = response.headers["content-type"]?.startsWith("text/event-stream") ?? false;
      const takeFrames = isStream ? createFrameReader(answer, startedAt, reader, () => leave()) : undefined;
      const leave = () => {
        answer.end = "left";
        response.destroy();
      };
      response.setEncoding("utf8").on("data", (text: string) => {
        if (answer.end === "left") return;
        if (takeFrames) takeFrames(text);
        else answer.text += text;
        if (reader.restMs !== undefined && !response.destroyed) {
          response.pause();
          setTimeout(() => response.resume(), reader.restMs);
        }
      });
      response.on("error", () => {});
      response.on("end", () => {
        if (answer.end === "left") return;
        answer.end = "whole";
        if (!isStream) answer.code = readCode(answer.text);
      });
      response.on("close", settle);
      if (reader.stallMs !== undefined && isStream) {
        response.pause();
        setTimeout(() => response.resume(), reader.stallMs);
      }
    });
    sent.end(body);
  });
}

type Frame = {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  error?: { code?: string };
};

/** Reads events off the pieces of a stream into the answer. */
function createFrameReader(answer: Answer, startedAt: number, { leaveAfter }: Reader, leave: () => void) {
  let rest = "";
  let words = 0;
  return (piece: string): void => {
    const events = (rest + piece).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      for (const line of event.split("\n")) {
        if (line.startsWith("id: ")) answer.ids.push(line.slice(4));
        if (line === "data: [DONE]") answer.hasDone = true;
        else if (line.startsWith("data: ")) {
          const { choices, error } = JSON.parse(line.slice(6)) as Frame;
          if (error) answer.code = error.code;
          const { delta, finish_reason } = choices?.[0] ?? {};
          if (finish_reason) answer.hasFinish = true;
          if (!delta?.content) continue;
          if (words++ === 0) answer.firstMs = performance.now() - startedAt;
          answer.content += delta.content;
        }
      }
      if (leaveAfter !== undefined && words >= leaveAfter) {
        leave();
        return;
      }
    }
  };
}

function readCode(text: string): string | undefined {
  try {
    return (JSON.parse(text) as Frame).error?.code;
  } catch {
    return undefined;
  }
}
