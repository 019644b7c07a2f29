import type { Page } from "../../apps/playground/e2e/launch-chromium.ts";

/** In the page, around its `fetch`: streams come frame by frame, and no further than they may. */
const SCRIPT = `
const { fetch } = window;
const encoder = new TextEncoder();
let last;
let isHeld = false;
let held = [];

function pass(frame, controller) {
  if (isHeld) return void held.push(() => pass(frame, controller));
  controller.enqueue(encoder.encode(frame));
  isHeld = last !== undefined && frame.includes(last);
}

function end(resolve) {
  if (isHeld) held.push(() => end(resolve));
  else resolve();
}

window.hearUntil = (text) => {
  const before = held;
  held = [];
  last = text;
  isHeld = false;
  for (const goOn of before) {
    try {
      goOn();
    } catch {
      // Its request was given up meanwhile.
    }
  }
};

window.fetch = async (...all) => {
  const response = await fetch(...all);
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
  const decoder = new TextDecoder();
  let rest = "";
  const gate = new TransformStream({
    transform(bytes, controller) {
      const frames = (rest + decoder.decode(bytes, { stream: true })).split(/(?<=\\n\\n)/);
      rest = frames.at(-1).endsWith("\\n\\n") ? "" : frames.pop();
      for (const frame of frames) pass(frame, controller);
    },
    flush: () => new Promise(end),
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(gate), { status, statusText, headers });
};`;

/**
 * Lets a test say how far the page hears the answers it asks for: what is to be seen on the way stays until it was seen,
 * however long that takes. To be called before the page is opened.
 * @returns lets it hear all up to the next frame with this text, else all there is
 */
export async function holdAnswers(page: Page): Promise<(text?: string) => Promise<void>> {
  await page.addInitScript({ content: SCRIPT });
  return (text) => page.evaluate(`hearUntil(${JSON.stringify(text)})`);
}
