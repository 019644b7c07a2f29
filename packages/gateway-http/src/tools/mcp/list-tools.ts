import type { Client } from "@modelcontextprotocol/client";
import { z } from "zod";

/** A server that goes on for longer has no end. */
const MAX_PAGES = 64;
const TIMEOUT_MS = 30_000;

/** A tool as a server lists it. */
export interface ListedTool {
  readonly name: string;
  readonly description?: string | undefined;
  /** Should be JSON Schema of an object. */
  readonly inputSchema?: unknown;
}

// Laxer than the SDK's own, which loses a server's whole list over one tool that is not well described.
const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() });

const listedTool = z.object({
  name: z.string(),
  description: z.string().optional().catch(undefined),
  inputSchema: z.unknown().optional(),
});

/** All pages of a server's list. @throws what the SDK throws, and when the list has no end */
export async function listTools(client: Client): Promise<readonly ListedTool[]> {
  // Asking all the same makes the SDK write to standard output.
  if (!client.getServerCapabilities()?.tools) return [];
  const tools: unknown[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const params = cursor === undefined ? {} : { params: { cursor } };
    const answer = await client.request({ method: "tools/list", ...params }, page, { timeout: TIMEOUT_MS });
    tools.push(...answer.tools);
    if (answer.nextCursor == null || answer.nextCursor === cursor) return tools.flatMap(toListed);
    cursor = answer.nextCursor;
  }
  throw new Error(`its list of tools has more than ${MAX_PAGES} pages`);
}

function toListed(tool: unknown): ListedTool[] {
  const { data } = listedTool.safeParse(tool);
  return data === undefined ? [] : [data];
}
