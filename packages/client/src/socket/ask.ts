import type { SocketMethodName, SocketParams, SocketResult } from "@openclaw/protocol/socket";
import { createAttempt } from "../attempt.ts";
import { ConnectionError } from "../errors.ts";
import { checkLimits } from "../options.ts";
import type { Link } from "./link.ts";

export interface SocketRequestOptions {
  /** Ends the wait for the answer, with an `AbortError`; of `send` the run, too. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the answer, a wait for the connection included. Beats the socket's. */
  timeout?: number | undefined;
}

/** Asks the gateway, as soon as there is a connection. */
export type Ask = <Name extends SocketMethodName>(
  method: Name,
  params: SocketParams<Name>,
  options?: SocketRequestOptions,
) => Promise<SocketResult<Name>>;

/** What may be asked twice: it changes nothing, or has a key by which the second is the first. */
const SAFE = /^(health|status|system-presence|agent)$|\.(list|get|describe|resolve|history|send|wait|(un)?subscribe)$/;

/** @param defaultTimeout - In milliseconds. */
export function createAsk(link: Link, defaultTimeout: number): Ask {
  return async (method, params, { signal, timeout = defaultTimeout } = {}) => {
    checkLimits({ timeout });
    // To end a run that is named is to end it once, however often that is asked.
    const isSafe = SAFE.test(method) || (method === "chat.abort" && "runId" in Object(params));
    const attempt = createAttempt(signal, timeout, `answer to \`${method}\``);
    const go = async () => {
      for (;;) {
        const connection = await link.ready();
        attempt.signal.throwIfAborted();
        try {
          return await connection.request(method, params, attempt.signal);
        } catch (error) {
          if (!isSafe || !(error instanceof ConnectionError)) throw error;
        }
      }
    };
    try {
      return (await attempt.until(go)) as never;
    } finally {
      attempt.release();
    }
  };
}
