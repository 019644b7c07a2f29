import { setTimeout as delay } from "node:timers/promises";
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from "@modelcontextprotocol/client";
import type { McpCommand } from "../../config/schema-mcp.ts";
import { MAX_MESSAGE_BYTES, TOO_LARGE } from "./limits.ts";
import { type ProcessGroup, startGroup } from "./process-group.ts";

/** What is kept of standard error. More than is told, so that a secret in what is told is there as a whole. */
const STDERR_CHARACTERS = 8192;
/** After the exit of a program its last words may still be on their way. */
const FLUSH_MS = 500;

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
  const buffer = new ReadBuffer({ maxBufferSize: MAX_MESSAGE_BYTES });
  let group: ProcessGroup | undefined;
  let pieces: Buffer[] = [];
  let size = 0;
  let complaints = "";
  let endReason: string | undefined;
  let ending: Promise<void> | undefined;
  /** Nobody wants to hear any more; it is read all the same, or the program could not write its last and end. */
  let deaf = false;

  /** Whole lines only: the buffer copies and searches all it has at every piece that it is given. */
  function take(chunk: Buffer): void {
    if (deaf) return;
    size += chunk.length;
    const lineEnd = chunk.lastIndexOf("\n") + 1;
    if (size > MAX_MESSAGE_BYTES) {
      endReason ??= TOO_LARGE;
      void transport.close();
      return;
    }
    if (lineEnd === 0) {
      pieces.push(chunk);
      return;
    }
    buffer.append(Buffer.concat([...pieces, chunk.subarray(0, lineEnd)]));
    pieces = [chunk.subarray(lineEnd)];
    size = chunk.length - lineEnd;
    deliver();
    // What it leaves behind is an empty view of all that it had.
    buffer.clear();
  }

  function deliver(): void {
    for (;;) {
      try {
        const message = buffer.readMessage();
        if (message === null) return;
        transport.onmessage?.(message);
      } catch (error) {
        transport.onerror?.(error as Error);
      }
    }
  }

  async function end(closed?: Promise<unknown>): Promise<void> {
    const ended = group?.end();
    if (closed) await Promise.race([closed, delay(FLUSH_MS, undefined, { ref: false })]);
    transport.onclose?.();
    await ended;
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
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.once("exit", (code, signal) => {
        if (ending) return;
        endReason = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
        ending = end(closed);
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.on("error", reject);
      });
    },
    send(message: JSONRPCMessage) {
      return new Promise((resolve, reject) => {
        if (!group || ending) return reject(new Error("not connected"));
        group.child.stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
      });
    },
    close() {
      deaf = true;
      pieces = [];
      ending ??= end();
      return ending;
    },
  };
  return transport;
}
