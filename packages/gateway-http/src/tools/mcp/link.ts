import { setTimeout as delay } from "node:timers/promises";
import {
  StreamableHTTPClientTransport,
  type Transport,
  type VersionNegotiationOptions,
} from "@modelcontextprotocol/client";
import type { McpCommand, McpUrl } from "../../config/schema-mcp.ts";
import type { Variables } from "../../config/substitute.ts";
import { createBoundedFetch } from "./bounded-fetch.ts";
import { toChildEnvironment } from "./child-environment.ts";
import { followRequests } from "./follow-requests.ts";
import { TOO_LARGE } from "./limits.ts";
import { createReconnector } from "./reconnect.ts";
import { createStdioTransport } from "./stdio-transport.ts";

/** How long a server may take over the end of its session. */
const FAREWELL_MS = 1000;

/** The way to a server, with what only one kind of way knows. */
export interface Link {
  readonly transport: Transport;
  /** How to find out which protocol a server speaks. One that is started again for each question is not asked. */
  readonly versionNegotiation: VersionNegotiationOptions | undefined;
  /** Whether what goes wrong in between can mean that the server is gone: a program's end is seen, an address's is not. */
  readonly lossIsSilent: boolean;
  /** Why it ended by itself, where that is known. */
  endReason(): string | undefined;
  /** The end of what a program wrote to standard error. */
  complaints(): string;
  /** Before the end: the server may forget what it kept for us. */
  farewell(): Promise<void>;
}

export function createLink(server: McpCommand | McpUrl, variables: Variables): Link {
  return "command" in server
    ? createStdioLink(server, toChildEnvironment(variables, server.env))
    : createHttpLink(server);
}

function createStdioLink(server: McpCommand, env: Record<string, string>): Link {
  const transport = createStdioTransport(server, env);
  return {
    transport,
    versionNegotiation: undefined,
    lossIsSilent: false,
    endReason: () => transport.endReason,
    complaints: () => transport.complaints,
    farewell: () => Promise.resolve(),
  };
}

function createHttpLink({ url, headers }: McpUrl): Link {
  let endReason: string | undefined;
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: createBoundedFetch(() => {
      endReason = TOO_LARGE;
      // The SDK would ask for the rest of a stream again and again.
      void transport.close();
    }),
    reconnectionScheduler: createReconnector(() => requests.active > 0),
  });
  const requests = followRequests(transport);
  return {
    transport,
    versionNegotiation: { mode: "auto" },
    lossIsSilent: true,
    endReason: () => endReason,
    complaints: () => "",
    async farewell() {
      const told = transport.terminateSession().catch(() => {});
      await Promise.race([told, delay(FAREWELL_MS, undefined, { ref: false })]);
    },
  };
}
