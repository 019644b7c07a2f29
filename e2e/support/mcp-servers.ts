import { expect } from "vitest";

/** Until all MCP servers of a gateway are there: neither readiness nor a run waits longer than 5 s for them. */
export async function serversAreUp({ url, token }: { url: string; token: string }): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  async function states(): Promise<Set<string>> {
    const status = await (await fetch(`${url}/status`, { headers })).json();
    return new Set((status as { mcp_servers: { state: string }[] }).mcp_servers.map(({ state }) => state));
  }
  await expect.poll(states, { timeout: 40_000 }).toEqual(new Set(["up"]));
}
