import { exchange } from "./exchange.ts";
import { TOKEN } from "./gateway.ts";

/** What is, not what goes on: 1 at rest too. */
const STANDING = /_info$/;

/** The `openclaw_*` gauges of /metrics that count what goes on, by name and labels. */
export async function readGauges(port: number): Promise<Map<string, number>> {
  const { text, status } = await exchange(port, { token: TOKEN, path: "/metrics" });
  if (status !== 200) return new Map([["/metrics did not answer", 1]]);
  const names = new Set(Array.from(text.matchAll(/^# TYPE (openclaw_\w+) gauge$/gm), ([, name = ""]) => name));
  const samples = text.matchAll(/^(openclaw_\w+)(\{.*\})? (\S+)$/gm);
  return new Map(
    [...samples].flatMap(([, name = "", labels = "", value]) =>
      names.has(name) && !STANDING.test(name) ? [[name + labels, Number(value)] as const] : [],
    ),
  );
}
