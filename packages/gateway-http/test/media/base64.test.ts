import fc from "fast-check";
import { expect, test } from "vitest";
import { decodedSize, firstBytes, isBase64, parseDataUrl } from "../../src/media/base64.ts";

test("what encodes bytes is base64 of their number, however many", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      expect([isBase64(text), decodedSize(text)]).toEqual([true, bytes.length]);
      expect(firstBytes(text)).toEqual(Buffer.from(bytes.slice(0, 48)));
    }),
  );
});

test("base64 of more than one piece is read to its end", () => {
  for (const size of [196_607, 196_608, 196_609, 400_000]) {
    const text = Buffer.alloc(size, 7).toString("base64");
    expect([isBase64(text), decodedSize(text)]).toEqual([true, size]);
    for (const at of [0, 262_143, 262_144, text.length - 5]) {
      for (const wrong of ["=", " ", "-", "_", "é", "Ł", "\n", "%"]) {
        // The last character may well be padding.
        if (at >= text.length - (wrong === "=" ? 1 : 0)) continue;
        expect(isBase64(text.slice(0, at) + wrong + text.slice(at + 1)), `${wrong} at ${at}`).toBe(false);
      }
    }
  }
});

test("whatever has another character, length or padding is not base64", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."AQg+/=-_ \n%éŁ😀"), maxLength: 12 }), (text) => {
      const isStrict = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) && text !== "";
      expect(isBase64(text)).toBe(isStrict);
    }),
    { numRuns: 2000 },
  );
});

test("a data: URL is taken apart, in any case and with parameters", () => {
  expect(parseDataUrl("data:image/png;base64,QQ==")).toEqual({ type: "image/png", base64: "QQ==" });
  expect(parseDataUrl("DATA:Image/PNG;name=a.png;BASE64,QQ==")).toEqual({ type: "image/png", base64: "QQ==" });
  expect(parseDataUrl("data:;base64,QQ==")).toEqual({ type: "", base64: "QQ==" });
  for (const other of [
    "data:image/png,QQ==",
    "data:image/png;base64",
    "https://a.b/;base64,QQ==",
    " data:;base64,QQ==",
  ]) {
    expect(parseDataUrl(other), other).toBeUndefined();
  }
});
