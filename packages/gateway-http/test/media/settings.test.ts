import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";

const withImages = (images: object) =>
  ({ gateway: { http: { endpoints: { chatCompletions: { images } } } } }) as Parameters<typeof parseConfig>[0];
const withInput = (input: unknown) => ({ models: { providers: { p: { models: [{ id: "m", input }] } } } }) as never;

const imagesOf = (images: object) =>
  parseConfig(withImages(images)).config.gateway.http.endpoints.chatCompletions.images;

test("hosts of the allowlist are names, or all names below one", () => {
  expect(imagesOf({ urlAllowlist: [" Example.COM ", "*.a-b.example.org"] }).urlAllowlist).toEqual([
    "example.com",
    "*.a-b.example.org",
  ]);
  for (const host of ["*", "", "https://example.com", "example.com/a", "a.*.com", "*example.com", "example.com:443"]) {
    expect(() => imagesOf({ urlAllowlist: [host] }), host).toThrow("images.urlAllowlist[0]: must be a host name");
  }
});

test("limits are whole numbers within what one request may have", () => {
  const most = 20 * 1024 * 1024;
  expect(imagesOf({ maxBytes: most, maxRedirects: 0, timeoutMs: 1 })).toMatchObject({ maxBytes: most });
  for (const wrong of [
    { maxBytes: 0 },
    { maxBytes: most + 1 },
    { maxRedirects: -1 },
    { timeoutMs: 0 },
    { allowUrl: "yes" },
  ]) {
    expect(() => imagesOf(wrong), JSON.stringify(wrong)).toThrow(`images.${Object.keys(wrong)[0]}`);
  }
});

test("only types that can be told by their bytes can be allowed", () => {
  expect(imagesOf({ allowedMimes: ["image/heic"] }).allowedMimes).toEqual(["image/heic"]);
  for (const type of ["image/svg+xml", "image/*", "application/pdf"]) {
    expect(() => imagesOf({ allowedMimes: [type] }), type).toThrow("images.allowedMimes[0]");
  }
  expect(() => imagesOf({ allowedMimes: [] })).toThrow("images.allowedMimes");
});

test("what a model takes in always has text, and leaves out what no message can hold", () => {
  const inputOf = (input: unknown) => parseConfig(withInput(input)).config.models.providers.p?.models[0]?.input;
  expect(inputOf(["image", "text", "image"])).toEqual(["text", "image"]);
  expect(inputOf(["audio", "video"])).toEqual(["text", "audio"]);
  expect(inputOf([])).toEqual(["text"]);
  expect(inputOf(undefined)).toBeUndefined();
  expect(() => inputOf(["smell"])).toThrow("models.providers.p.models[0].input[0]");
});
