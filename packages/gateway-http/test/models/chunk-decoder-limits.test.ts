import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { createDecoder, decode, said } from "./decode.ts";

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const content = (text: string) => ({ choices: [{ index: 0, delta: { content: text } }] });

/** What decoding throws or keeps for later. */
function failure(reads: string[]): { said: string; error: unknown } {
  const decoder = createDecoder();
  let words = "";
  try {
    for (const read of reads) {
      words += said(decoder.decode(Buffer.from(read)));
      if (decoder.failure) throw decoder.failure;
    }
  } catch (error) {
    return { said: words, error };
  }
  return { said: words, error: undefined };
}

for (const garbage of ["data: {\n\n", "data: <html>\n\n", "data: 5\n\n", "data: null\n\n", "data: []\n\n"]) {
  test(`${JSON.stringify(garbage)} is a bad response, and what came before it is not lost`, () => {
    const { said: words, error } = failure([data(content("a")), data(content("b")) + garbage]);
    expect(words).toBe("ab");
    expect(error).toMatchObject({ code: "provider_bad_response" });
    expect((error as GatewayError).message).not.toContain("html");
  });
}

test("an error object in the stream is the provider's error", () => {
  const { said: words, error } = failure([data(content("a")) + data({ error: { message: "boom" } })]);
  expect(words).toBe("a");
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code: "provider_error", retry: true });
});

test("an event without an end is given up on, not kept for ever", () => {
  const decoder = createDecoder();
  const piece = Buffer.alloc(1024 * 1024, "x");
  expect(() => {
    for (let count = 0; count < 18; count++) {
      decoder.decode(piece);
      if (decoder.failure) throw decoder.failure;
    }
  }).toThrow(expect.objectContaining({ code: "provider_bad_response" }));
});

test("a very long event that comes in small reads costs its length, not its square", () => {
  const decoder = createDecoder();
  const bytes = Buffer.from(data(content("a")) + data(content("b".repeat(3 * 1024 * 1024))));
  const startedAt = performance.now();
  let words = "";
  for (let at = 0; at < bytes.length; at += 64) words += said(decoder.decode(bytes.subarray(at, at + 64)));
  expect([words.length, decoder.failure]).toEqual([1 + 3 * 1024 * 1024, undefined]);
  // Its square would take minutes.
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test("a very long text of escapes is read after the short cut was learnt", () => {
  const long = '"\n'.repeat(500_000);
  expect(said(decode([data(content("a")), data(content(long))]).events)).toBe(`a${long}`);
});
