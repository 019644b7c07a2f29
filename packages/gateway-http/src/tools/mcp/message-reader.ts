import { deserializeMessage, type JSONRPCMessage } from "@modelcontextprotocol/client";
import { MAX_MESSAGE_BYTES, TOO_LARGE } from "./limits.ts";

/** A server may print a word of its own on standard output. A program that does nothing else is none. */
const MAX_UNREADABLE = 1000;

export interface MessageReader {
  /** @returns why nothing of it is to be read any more, once there is a reason */
  take(chunk: Buffer): string | undefined;
}

/** Finds the messages in what a program writes: each is a line. What is no message is passed over. */
export function createMessageReader(onMessage: (message: JSONRPCMessage) => void): MessageReader {
  /** The line that is being read: joined when it is there as a whole, because that copies it. */
  let pieces: Buffer[] = [];
  let size = 0;
  let unreadable = 0;

  return {
    take(chunk) {
      size += chunk.length;
      if (size > MAX_MESSAGE_BYTES) return TOO_LARGE;
      const lineEnd = chunk.lastIndexOf("\n") + 1;
      if (lineEnd === 0) {
        pieces.push(chunk);
        return undefined;
      }
      const lines = Buffer.concat([...pieces, chunk.subarray(0, lineEnd - 1)]).toString();
      pieces = [chunk.subarray(lineEnd)];
      size = chunk.length - lineEnd;
      for (const line of lines.split("\n")) {
        const message = toMessage(line);
        unreadable = message ? 0 : unreadable + 1;
        if (unreadable > MAX_UNREADABLE) return "it does not speak MCP";
        if (message) onMessage(message);
      }
      return undefined;
    },
  };
}

function toMessage(line: string): JSONRPCMessage | undefined {
  try {
    return deserializeMessage(line);
  } catch {
    return undefined;
  }
}
