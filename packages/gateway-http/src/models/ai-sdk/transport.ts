import type { IncomingHttpHeaders } from "node:http";
import { GatewayError } from "../../errors/gateway-error.ts";
import type { PostRequest, PostResponse } from "../post.ts";
import { readStart } from "../read-body.ts";
import { toTransportError } from "../transport-error.ts";
import { createBound } from "./bounds.ts";

const KEY_HEADERS = ["authorization", "x-api-key", "x-goog-api-key"];

export interface TransportOptions {
  provider: { id: string; headers: Readonly<Record<string, string>>; timeoutMs: number };
  /** Whether the library has something to authenticate with; if not, only the configured headers do. */
  hasKey: boolean;
  post(origin: string, request: PostRequest): Promise<PostResponse>;
  /** Makes the error of an answer that is not 200. */
  refused(status: number, body: string, retryAfter?: string): GatewayError;
  signal: AbortSignal;
}

/** The connection of one call of a model. */
export interface Transport {
  fetch: typeof globalThis.fetch;
  /** Nothing more is wanted, and nothing more should come: lets the connection be used again. */
  finish(): void;
  /** Nothing more is wanted: closes the connection, if it is still in use. */
  leave(): void;
}

/**
 * A `fetch` for the libraries over the connections that all providers share, with their limits. Whatever goes wrong
 * on the way is one of our errors already; the libraries only pass it on.
 */
export function createTransport({ provider, hasKey, post, refused, signal }: TransportOptions): Transport {
  let response: PostResponse | undefined;
  const failed = (error: unknown, heard: boolean) => toTransportError(error, { provider: provider.id, heard, signal });

  function toHeaders(given: RequestInit["headers"]): Record<string, string> {
    const headers = Object.fromEntries(new Headers(given));
    if (!hasKey) for (const name of KEY_HEADERS) delete headers[name];
    for (const [name, value] of Object.entries(provider.headers)) headers[name.toLowerCase()] = value;
    return headers;
  }

  async function send(url: string, init: RequestInit): Promise<PostResponse> {
    const { origin, pathname, search } = new URL(url);
    const headers = toHeaders(init.headers);
    const { timeoutMs } = provider;
    try {
      return await post(origin, { path: pathname + search, headers, body: init.body as string, timeoutMs, signal });
    } catch (error) {
      throw failed(error, false);
    }
  }

  function toBody({ headers, read, leave }: PostResponse): ReadableStream<Uint8Array<ArrayBuffer>> {
    const problemOf = createBound(headers["content-type"] ?? "");
    if (!problemOf) throw bad(`The provider ${provider.id} answered with neither JSON nor events.`);
    return new ReadableStream(
      {
        async pull(controller) {
          try {
            const bytes = await read();
            if (bytes === undefined) return controller.close();
            const problem = problemOf(bytes);
            if (problem !== undefined) throw bad(problem);
            controller.enqueue(bytes as Buffer<ArrayBuffer>);
          } catch (error) {
            throw failed(error, true);
          }
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    );
  }

  return {
    async fetch(input, init = {}) {
      response = await send(String(input), init);
      const { status, headers } = response;
      if (status === 200) return new Response(toBody(response), { headers: plain(headers) });
      const text = await readStart(response).catch((error) => {
        throw failed(error, true);
      });
      throw refused(status, text, headers["retry-after"]);
    },
    finish: () => response?.finish(),
    leave: () => response?.leave(),
  };
}

function plain(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []));
}

function bad(message: string): GatewayError {
  return new GatewayError("provider_bad_response", message);
}
