import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.ts";
import type { SoakedGateway } from "./gateway.ts";
import { readGauges } from "./gauges.ts";
import type { Reading } from "./probe.ts";
import type { Provider } from "./provider.ts";

/** What the heap may have grown by between two times of rest: bounded caches fill up, and then no more. */
const HEAP_GROWTH = 24 * 2 ** 20;
/** What the allocator keeps in pieces after the busiest moment, and the database's cache. */
const NATIVE_GROWTH = 64 * 2 ** 20;
/** Of one kind. */
const HANDLE_GROWTH = 2;
const REST_MS = 60_000;
const LOOKS = 5;

/** Waits until nothing goes on, and measures then: the least of a few looks. */
export async function readAtRest(gateway: SoakedGateway, provider: Provider, account: Account): Promise<Reading> {
  const giveUpAt = performance.now() + REST_MS;
  for (;;) {
    const busy = [...(await readGauges(gateway.port))].filter(([, value]) => value !== 0);
    if (provider.open === 0 && busy.length === 0) break;
    if (performance.now() > giveUpAt) {
      account.violate("something goes on after all have gone", `provider ${provider.open}, ${JSON.stringify(busy)}`);
      break;
    }
    await sleep(500);
  }
  let least: Reading | undefined;
  for (let look = 0; look < LOOKS; look++) {
    // Longer than idle connections to a provider are kept.
    await sleep(1500);
    const reading = await gateway.read(true);
    if (!least || reading.heap < least.heap) least = reading;
  }
  return least as Reading;
}

/** Holds the end against the start. */
export function compareReadings(start: Reading, end: Reading, account: Account): void {
  const grown = (name: string, from: number, to: number, allowed: number) => {
    if (!(to <= from + allowed)) account.violate(`${name} has grown`, `${toMib(from)} to ${toMib(to)} MiB`);
  };
  grown("the heap", start.heap, end.heap, HEAP_GROWTH);
  grown("memory outside the heap", start.external, end.external, HEAP_GROWTH);
  grown("resident memory beside V8's", start.native, end.native, NATIVE_GROWTH);
  for (const [name, count] of Object.entries(end.handles)) {
    const before = start.handles[name] ?? 0;
    if (count > before + HANDLE_GROWTH) account.violate(`${name}: more are open`, `${before} to ${count}`);
  }
}

export function toMib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
