import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Message, UserPart } from "@openclaw/protocol";
import { expect, onTestFinished } from "vitest";
import { imagesSchema } from "../../src/config/schema-images.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";

export const MIB = 1024 * 1024;

/** The first bytes of files, as Latin-1. */
export const MAGIC = {
  png: "\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
  jpeg: "\xff\xd8\xff\xe0\0\x10JFIF\0",
  gif: "GIF89a\x01\0\x01\0\0\0\0\0\0\0",
  webp: "RIFF\x24\0\0\0WEBPVP8 ",
  bmp: "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0",
  heic: "\0\0\0\x18ftypheic\0\0\0\0",
  avif: "\0\0\0\x1cftypavif\0\0\0\0",
  tiff: "II*\0\x08\0\0\0\0\0\0\0\0\0\0\0",
  pdf: "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
  wav: "RIFF\x24\0\0\0WAVEfmt ",
  mp3: "ID3\x04\0\0\0\0\0\0\0\0\0\0\0\0",
  html: "<!doctype html><html></html>",
} as const;

/** A file of so many bytes that looks like one of its kind. */
export function fileOf(kind: keyof typeof MAGIC, size: number = MAGIC[kind].length, fill = 0): Buffer {
  const bytes = Buffer.alloc(size, fill);
  bytes.write(MAGIC[kind], "latin1");
  return bytes;
}

export const dataUrl = (bytes: Buffer, type = "image/png"): string => `data:${type};base64,${bytes.toString("base64")}`;

export const PNG = dataUrl(fileOf("png", 64));

export const image = (url: string, more: { detail?: "low" | null } = {}): UserPart => ({
  type: "image_url",
  image_url: { url, ...more },
});

export const user = (...content: UserPart[]): Message => ({ role: "user", content });

/** `gateway.http.endpoints.chatCompletions.images`, with its defaults. */
export const settings = (given: Parameters<typeof imagesSchema.parse>[0] = {}) => imagesSchema.parse(given);

/** `<code> <param> <message>` of what is refused. */
export async function refusal(run: () => unknown): Promise<string> {
  const error = await (async () => run())().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(GatewayError);
  const { code, param, message, status } = error as GatewayError;
  expect(status).toBe(400);
  return `${code} ${param} ${message.replace(`${param}: `, "")}`;
}

/** A server on this machine. */
export async function startServer(listener: RequestListener): Promise<{ port: number; origin: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, origin: `http://127.0.0.1:${port}` };
}
