import { Client, type JsonSchemaValidatorResult } from "@modelcontextprotocol/client";
import type { McpCommand, McpUrl } from "../../config/schema-mcp.ts";
import type { Variables } from "../../config/substitute.ts";
import { describeError } from "./describe-error.ts";
import { CONNECT_MS } from "./limits.ts";
import { createLink } from "./link.ts";
import { type ListedTool, listTools } from "./list-tools.ts";
import { watchTools } from "./watch-tools.ts";

/** Why there is no session. */
export class SessionError extends Error {
  /** The end of what the server wrote to standard error. Secrets may be in it. */
  readonly complaints: string;

  constructor(reason: string, complaints = "") {
    super(reason);
    this.complaints = complaints;
  }
}

export interface Session {
  readonly client: Client;
  /** As it was first listed. */
  readonly tools: readonly ListedTool[];
  /** Ends the session; a started server with it. `onEnd` is not called. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly variables: Variables;
  /** Gives up connecting. */
  readonly signal: AbortSignal;
  /** The server's list is another one now. */
  onTools(tools: readonly ListedTool[]): void;
  /** The session ended by itself. Called once at most, before calls under way fail. */
  onEnd(error: SessionError): void;
}

/** Results are taken as they are: a server's schemas would be compiled to code, and lose what does not fit them. */
const jsonSchemaValidator = {
  getValidator:
    <T>() =>
    (input: unknown): JsonSchemaValidatorResult<T> => ({ valid: true, data: input as T, errorMessage: undefined }),
};

/**
 * Connects to a server and lists its tools.
 * @throws {@link SessionError} when there is no answer within 30 s, or no good one; nothing is left then
 */
export async function openSession(server: McpCommand | McpUrl, options: SessionOptions): Promise<Session> {
  const { signal, onTools, onEnd } = options;
  const link = createLink(server, options.variables);
  const { transport } = link;
  const client = new Client(
    { name: "openclaw-gateway", version: "1" },
    {
      jsonSchemaValidator,
      // The watch has a pause of its own. The SDK's waits for one, which a server that always has news never makes.
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => watch.look() } },
      ...(link.versionNegotiation && { versionNegotiation: link.versionNegotiation }),
    },
  );
  let isOpen = false;

  const watch = watchTools({
    client,
    isOpen: () => isOpen,
    onTools,
    onFailure(error) {
      if (link.lossIsSilent) end(describeError(error));
    },
  });
  client.onclose = () => end("it closed the connection");
  client.onerror = () => {
    if (link.lossIsSilent) watch.look();
  };

  const toError = (reason: string) => new SessionError(link.endReason() ?? reason, link.complaints());

  function end(reason: string): void {
    if (!isOpen) return;
    isOpen = false;
    onEnd(toError(reason));
    void transport.close();
  }

  async function connect(): Promise<readonly ListedTool[]> {
    // It has all of the time in any step: `npx` may have a server to fetch.
    await client.connect(transport, { timeout: 2 * CONNECT_MS });
    return listTools(client);
  }

  async function close(): Promise<void> {
    if (isOpen) {
      isOpen = false;
      await link.farewell();
    }
    await client.close();
    // The client forgets a transport that closed by itself, but that may still be at it.
    await transport.close();
  }

  const gaveUp = Promise.withResolvers<never>();
  function giveUp(reason: string): void {
    gaveUp.reject(new Error(reason));
    void transport.close();
  }
  const onAbort = () => giveUp("the gateway is closing");
  const late = setTimeout(() => giveUp(`it gave no answer within ${CONNECT_MS / 1000} s`), CONNECT_MS).unref();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const tools = await Promise.race([connect(), gaveUp.promise]);
    isOpen = true;
    void watch.listen();
    return { client, tools, close };
  } catch (error) {
    await transport.close();
    throw toError(describeError(error));
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", onAbort);
  }
}
