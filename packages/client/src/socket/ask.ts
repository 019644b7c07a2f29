import type { SocketMethodName, SocketParams, SocketResult } from "@openclaw/protocol/socket";
import { createAttempt } from "../attempt.ts";
import { ConnectionError, TimeoutError } from "../errors.ts";
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

/** By their keys: those a gateway keeps no longer than it runs. */
const KEYED = /send$|^agent$/;

/** @param defaultTimeout - In milliseconds. */
export function createAsk(link: Link, defaultTimeout: number): Ask {
  return async (method, params, { signal, timeout = defaultTimeout } = {}) => {
    checkLimits({ timeout });
    // To end a run that is named is to end it once, however often that is asked.
    const isSafe = SAFE.test(method) || (method === "chat.abort" && Object(params).runId !== undefined);
    const attempt = createAttempt(signal, timeout, `answer to \`${method}\``);
    const go = async () => {
      for (let cut: ConnectionError | undefined, bootId: string | undefined; ; ) {
        const connection = await link.ready(attempt.signal);
        attempt.signal.throwIfAborted();
        const { server } = connection.hello;
        // Another gateway does not know the key: it would do it a second time.
        if (cut && KEYED.test(method) && server?.bootId !== bootId) throw cut;
        try {
          return await connection.request(method, params, attempt.signal);
        } catch (error) {
          if (!isSafe || !(error instanceof ConnectionError)) throw error;
          [cut, bootId] = [error, server?.bootId];
        }
      }
    };
    try {
      return (await attempt.until(go)) as never;
    } catch (error) {
      if (error instanceof TimeoutError && link.failure) error.cause = link.failure;
      throw error;
    } finally {
      attempt.release();
    }
  };
}
