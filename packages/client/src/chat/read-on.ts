import { HEADERS } from "@openclaw/protocol/wire";
import { dropBody } from "../api-error.ts";
import { wait } from "../attempt.ts";
import { APIError, StreamTruncatedError } from "../errors.ts";
import { isRetryable, retryDelay } from "../retry.ts";
import { type ReadOptions, readChunks } from "../sse/read-chunks.ts";
import type { ChatCompletionChunk } from "../types.ts";

/** Milliseconds that coming back is tried for: as long as a gateway keeps a run that nobody reads, unless told otherwise. */
export const RESUME_WITHIN = 30_000;

/** A stream that is about to come back after its connection broke. */
export interface ResumeInfo {
  /** Counted from 1 since the last chunk. */
  attempt: number;
  /** The event after which it goes on. `undefined` when nothing had come. */
  lastEventId: string | undefined;
}

/** The connection that a stream is read from, and how to come by another. Its signal ends a wait for one, too. */
export interface Connection extends ReadOptions {
  /** Of the last connection there was. */
  response: Response;
  /** Whether to come back: not with 0. */
  maxRetries: number;
  /** Sends the request again, once, for at most `RESUME_WITHIN`. Absent when that would be another request. */
  open?: (lastEventId: string | undefined) => Promise<Response>;
}

/**
 * The chunks of an answer, each once, over as many connections as it takes; those that came together as one array.
 *
 * @throws APIError of an error frame, or of a refusal to go on
 * @throws StreamTruncatedError when the stream was cut; `cause` says why it could not be resumed, if that was tried
 * @throws what `signal` was aborted with
 */
export async function* readOn(
  connection: Connection,
  onResume: (info: ResumeInfo) => void,
): AsyncGenerator<ChatCompletionChunk[], void, undefined> {
  const { signal, idleTimeout, maxRetries } = connection;
  let { open } = connection;
  let response: Response | undefined = connection.response;
  let lastRun = "";
  let last = -1;
  let attempt = 0;
  let delay = 0;
  let openedAt = 0;
  let brokeAt = 0;
  // Put together when it is needed: the id as it came is a piece of a text, which keeps all that was read with it.
  const lastEventId = () => (last < 0 ? undefined : lastRun + last);
  while (true) {
    try {
      if (!response) {
        await wait(delay, signal);
        response = await (open as NonNullable<typeof open>)(lastEventId());
        connection.response = response;
      }
      openedAt = Date.now();
      const run = `${response.headers.get(HEADERS.runId)}:`;
      if (last >= 0 && run !== lastRun) {
        open = undefined;
        dropBody(response);
        throw new StreamTruncatedError("Another run came in its place.");
      }
      for await (const events of readChunks(response, { signal, idleTimeout })) {
        const fresh: ChatCompletionChunk[] = [];
        for (const { id, chunk } of events) {
          const isOurs = id?.startsWith(run);
          const number = isOurs ? Number(id?.slice(run.length)) : Number.NaN;
          if (number <= last) continue;
          // Who does not number as a gateway does keeps nothing either: to send it again would be to run it again.
          if (!isOurs) open = undefined;
          lastRun = run;
          last = number;
          attempt = 0;
          fresh.push(chunk);
        }
        if (fresh.length > 0) yield fresh;
      }
      return;
    } catch (error) {
      signal.throwIfAborted();
      const canResume = response ? isCut(error) : isRetryable(error);
      const now = Date.now();
      // One that lived that long did bring signs of life: the gateway has kept the run until now.
      if (response && now - openedAt > RESUME_WITHIN) attempt = 0;
      if (attempt === 0) brokeAt = now;
      if (!open || !canResume || !maxRetries || now - brokeAt > RESUME_WITHIN)
        throw response ? error : toFailure(error);
      response = undefined;
      delay = retryDelay(error, attempt++);
      onResume({ attempt, lastEventId: lastEventId() });
    }
  }
}

/** Whether only the connection is over: a gateway that shuts down says so, and what it had is there when it is back. */
function isCut(error: unknown): boolean {
  return error instanceof StreamTruncatedError || (error instanceof APIError && error.code === "gateway_draining");
}

/** That the answer is gone says no more than that it was cut; any other refusal, of the token for one, speaks for itself. */
function toFailure(error: unknown): unknown {
  if (error instanceof APIError && error.code !== "resume_lost") return error;
  const { message } = error as Error;
  return new StreamTruncatedError(`The stream was cut and could not be resumed: ${message}`, { cause: error });
}
