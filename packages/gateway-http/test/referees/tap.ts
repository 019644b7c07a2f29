import { expect } from "vitest";

/** A client's `fetch` that lets the test see the bytes which the client reads. */
export interface Tap {
  fetch: typeof fetch;
  /** Settles when one more comment has reached the client. */
  quiet(): Promise<void>;
  /** All that came through. */
  raw(): string;
}

export function createTap(): Tap {
  let raw = "";
  const watchers = new Set<() => void>();
  const comments = () => raw.split("\n: keep-alive\n").length;

  function look(): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
    const utf8 = new TextDecoder();
    return new TransformStream({
      transform(bytes, controller) {
        raw += utf8.decode(bytes, { stream: true });
        controller.enqueue(bytes);
        for (const watcher of watchers) watcher();
      },
    });
  }

  return {
    raw: () => raw,
    async fetch(input, init) {
      const response = await fetch(input, init);
      return new Response(response.body?.pipeThrough(look()) ?? null, response);
    },
    quiet() {
      const before = comments();
      return new Promise((resolve) => {
        const watcher = () => {
          if (comments() === before) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
      });
    },
  };
}

/** Insists that a stream was full of what its client had to live with. */
export function expectCrowded(raw: string, { keyed, reasoning }: { keyed: boolean; reasoning: string }): void {
  expect(raw.match(/"openclaw":\{"type":"tool-(?:start|end)"/g)).toHaveLength(4);
  expect(raw).toContain(`{"${reasoning}":`);
  expect(raw.match(/^: keep-alive$/gm)?.length).toBeGreaterThanOrEqual(2);
  expect(/^id: chatcmpl-/m.test(raw)).toBe(keyed);
}
