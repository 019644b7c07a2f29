import { setTimeout as delay } from "node:timers/promises";
import type { McpCommand, McpUrl } from "../../config/schema-mcp.ts";
import type { Variables } from "../../config/substitute.ts";
import { outsideTraces } from "../../observe/traces.ts";
import type { ToolResult } from "../tool.ts";
import { callTool } from "./call-tool.ts";
import { describeError } from "./describe-error.ts";
import type { ListedTool } from "./list-tools.ts";
import { openSession, type Session, SessionError } from "./session.ts";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** What is told of standard error. */
const STDERR_CHARACTERS = 2000;

export interface ServerConnection {
  readonly name: string;
  /** Settles when the server listed its tools for the first time, or failed to. Never rejects. */
  readonly tried: Promise<void>;
  /** Whether it is there now. */
  readonly up: boolean;
  /** Those of a server that is there; else none. */
  readonly tools: readonly ListedTool[];
  /** @throws the signal's reason when it aborts; everything else is a result that the model reads */
  call(tool: ListedTool, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ToolResult>;
  /** Ends the connection, and a server that was started; up to some 6 s when it does not want to end. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly name: string;
  readonly server: McpCommand | McpUrl;
  readonly variables: Variables;
  redact(text: string): string;
  log(level: "info" | "warn", fields: object, message: string): void;
  /** `tools` is another list now. */
  onChange(): void;
}

/** A connection that comes again when it is lost: after 1 s, then twice as long each time, up to a minute. */
export function connectServer({ name, server, variables, redact, log, onChange }: ServerOptions): ServerConnection {
  const closing = new AbortController();
  const tried = Promise.withResolvers<void>();
  /** Reasons that were told since the server was last there: it is tried for as long as the gateway runs. */
  const told = new Set<string>();
  let session: Session | undefined;
  let tools: readonly ListedTool[] = [];
  let endReason = "it has not started yet";

  function setTools(next: readonly ListedTool[]): void {
    tools = next;
    onChange();
  }

  function tell(error: SessionError): void {
    const reason = redact(error.message);
    if (told.has(reason) || closing.signal.aborted) return;
    told.add(reason);
    const stderr = redact(error.complaints).trim().slice(-STDERR_CHARACTERS);
    log("warn", { server: name, reason, ...(stderr !== "" && { stderr }) }, "an MCP server is not there");
  }

  function enter(opened: Session): void {
    session = opened;
    setTools(opened.tools);
    if (told.size > 0) log("info", { server: name, tools: tools.length }, "an MCP server is there again");
    told.clear();
  }

  function leave(error: SessionError): void {
    session = undefined;
    endReason = redact(error.message);
    setTools([]);
    tell(error);
  }

  /** One session from beginning to end. @returns how long it lasted, in milliseconds */
  async function hold(): Promise<number> {
    const { promise: over, resolve } = Promise.withResolvers<unknown>();
    let isOver = false;
    function onEnd(error: SessionError): void {
      isOver = true;
      leave(error);
      resolve(error);
    }
    const opened = await openSession(server, { variables, signal: closing.signal, onTools: setTools, onEnd });
    const since = performance.now();
    if (!isOver) enter(opened);
    tried.resolve();
    closing.signal.addEventListener("abort", resolve, { once: true });
    if (!closing.signal.aborted) await over;
    closing.signal.removeEventListener("abort", resolve);
    session = undefined;
    if (!isOver) setTools([]);
    await opened.close();
    return performance.now() - since;
  }

  async function keep(): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!closing.signal.aborted) {
      const lasted = await hold().catch((error) => {
        leave(error instanceof SessionError ? error : new SessionError(String(error)));
        return 0;
      });
      tried.resolve();
      // A server that dies as soon as it is there is no better than one that does not start.
      if (lasted > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS;
      await delay(wait, undefined, { ref: false, signal: closing.signal }).catch(() => {});
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }

  // It outlives the run that may have begun it.
  const kept = outsideTraces(keep);

  return {
    name,
    tried: tried.promise,
    get up() {
      return session !== undefined;
    },
    get tools() {
      return tools;
    },
    async call(tool, args, signal) {
      const current = session;
      if (!current) return { ok: false, text: `The server "${name}" of this tool is not there: ${endReason}.` };
      try {
        return await callTool(current.client, tool, args, { signal, redact });
      } catch (error) {
        signal.throwIfAborted();
        const reason = session === current ? redact(describeError(error)) : endReason;
        return { ok: false, text: `The server "${name}" of this tool gave no answer: ${reason}.` };
      }
    },
    async close() {
      endReason = "it is not used any more";
      closing.abort();
      await kept;
    },
  };
}
