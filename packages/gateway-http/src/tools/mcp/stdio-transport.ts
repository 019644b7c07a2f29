import { setTimeout as delay, setImmediate as nextLoop } from "node:timers/promises";
import { type JSONRPCMessage, serializeMessage, type Transport } from "@modelcontextprotocol/client";
import type { McpCommand } from "../../config/schema-mcp.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";
import { createMessageReader } from "./message-reader.ts";
import { type ProcessGroup, startGroup } from "./process-group.ts";

/** What is kept of standard error. More than is told, so that a secret in what is told is there as a whole. */
const STDERR_CHARACTERS = 8192;
/** Around the exit of a program its last words, and word of the exit itself, may still be on their way. */
const FLUSH_MS = 500;
/** Small messages take more memory than their bytes: so many may wait to be read, of whatever size. */
const MAX_UNREAD = 10_000;
const DOES_NOT_READ = "it does not read what it is sent";

export interface StdioTransport extends Transport {
  /** Why there is no connection any more, when it was not `close()`. */
  readonly endReason: string | undefined;
  /** The end of what the program wrote to standard error. Nobody's secrets are taken out of it yet. */
  readonly complaints: string;
}

/**
 * A program spoken to in lines over its standard input and output. The SDK has one like it, which ends only the program
 * that it started: a server behind `npx` would outlive the gateway.
 */
export function createStdioTransport({ command, args }: McpCommand, env: Record<string, string>): StdioTransport {
  const reader = createMessageReader((message) => {
    if (!deaf) transport.onmessage?.(message);
  });
  const told = Promise.withResolvers<void>();
  let group: ProcessGroup | undefined;
  let closed: Promise<unknown> | undefined;
  let complaints = "";
  let unread = 0;
  let endReason: string | undefined;
  let ending: Promise<void> | undefined;
  let deaf = false;

  function take(chunk: Buffer): void {
    // Nobody wants to hear any more; it is read all the same, or the program could not write its last and end.
    if (deaf) return;
    // One piece for each turn of the loop: others have their turn even when a program never stops talking.
    group?.child.stdout.pause();
    setImmediate(() => group?.child.stdout.resume());
    const problem = reader.take(chunk);
    if (problem !== undefined) fail(problem);
  }

  function fail(reason: string): void {
    endReason ??= reason;
    void transport.close();
  }

  const flushed = () => atMost(FLUSH_MS, closed);

  async function end(isGone: boolean): Promise<void> {
    const ended = group?.end();
    if (isGone) await flushed();
    transport.onclose?.();
    told.resolve();
    await ended;
    await flushed();
    for (const stream of [group?.child.stdin, group?.child.stdout, group?.child.stderr]) stream?.destroy();
  }

  const transport: StdioTransport = {
    get endReason() {
      return endReason;
    },
    get complaints() {
      return complaints;
    },
    async start() {
      const started = startGroup(command, args, env);
      group = started;
      const { child } = started;
      child.stdin.on("error", () => {});
      child.stdout.on("data", take);
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        complaints = (complaints + text).slice(-STDERR_CHARACTERS);
      });
      closed = new Promise((resolve) => child.once("close", resolve));
      child.once("exit", (code, signal) => {
        if (ending) return;
        endReason = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
        ending = end(true);
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.on("error", reject);
      });
    },
    async send(message: JSONRPCMessage) {
      if (!group || ending) throw new Error("not connected");
      const { stdin } = group.child;
      if (stdin.writableLength > MAX_MESSAGE_BYTES || unread >= MAX_UNREAD) {
        fail(DOES_NOT_READ);
        throw new Error(DOES_NOT_READ);
      }
      unread += 1;
      const error = await new Promise((resolve) => stdin.write(serializeMessage(message), resolve));
      unread -= 1;
      if (!error) return;
      // The program is mostly gone then, and its exit says more about it than the pipe does.
      await atMost(2 * FLUSH_MS, told.promise);
      throw error;
    },
    close() {
      deaf = true;
      ending ??= end(false);
      return ending;
    },
  };
  return transport;
}

/** After a process stood still its timers come first: what happened meanwhile is in the rest of that turn of the loop. */
async function atMost(ms: number, event: Promise<unknown> | undefined): Promise<void> {
  await Promise.race([event, delay(ms, undefined, { ref: false })]);
  await nextLoop();
}
