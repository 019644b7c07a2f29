import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { ConfigError } from "../../src/errors/config-error.ts";
import { createApp } from "../../src/http/app.ts";
import { openTls } from "../../src/http/tls.ts";
import { certificateFault } from "../../src/http/tls-pair.ts";
import type { Log } from "../../src/observe/log.ts";
import { startGateway } from "../support/start-gateway.ts";
import { connectTls, pemPath, type TlsFiles, tlsFiles } from "../support/tls.ts";

const KEY_TEXT = readFileSync(pemPath("gateway", "key"), "utf8");
const WITH_PASSPHRASE = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "hunter2" },
}).privateKey;

const refusals: Record<
  string,
  [spoil: (files: TlsFiles) => Promise<unknown>, names: "certPath" | "keyPath", says: RegExp]
> = {
  "a certificate that is not there": [({ certPath }) => rm(certPath), "certPath", /cannot be read \(ENOENT\)/],
  "a key that is a folder": [
    async ({ keyPath }) => {
      await rm(keyPath);
      await mkdir(keyPath);
    },
    "keyPath",
    /cannot be read \(EISDIR\)/,
  ],
  "an empty certificate": [({ certPath }) => writeFile(certPath, ""), "certPath", /holds no certificate/],
  "a key in the certificate's place": [
    async ({ certPath, keyPath }) => writeFile(certPath, await readFile(keyPath)),
    "certPath",
    /holds no certificate/,
  ],
  "a certificate in the key's place": [
    async ({ certPath, keyPath }) => writeFile(keyPath, await readFile(certPath)),
    "keyPath",
    /holds no private key/,
  ],
  "a key that was cut": [
    ({ keyPath }) => writeFile(keyPath, KEY_TEXT.slice(0, 120)),
    "keyPath",
    /holds no private key/,
  ],
  "a key with a passphrase": [({ keyPath }) => writeFile(keyPath, WITH_PASSPHRASE), "keyPath", /passphrase/],
  "another certificate's key": [({ replace }) => replace("key", "renewed"), "keyPath", /is not the key of the cert/],
  "a chain that is broken": [
    async ({ certPath }) => writeFile(certPath, `${await readFile(certPath)}-----BEGIN CERTIFICATE-----\nAAAA\n`),
    "certPath",
    /cannot be served/,
  ],
};

test.each(Object.entries(refusals))(
  "%s is a ConfigError that names key and file, and nothing in them",
  async (_, [spoil, name, says]) => {
    const files = await tlsFiles();
    await spoil(files);
    const { certPath, keyPath } = files;
    const failure = await startGateway({ config: { gateway: { tls: { certPath, keyPath } } } }).catch((error) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure.message).toMatch(says);
    expect(failure.message.startsWith(`gateway.tls.${name}: ${files[name]} `)).toBe(true);
    expect(failure.message).not.toMatch(/BEGIN|hunter2/);
    for (const line of KEY_TEXT.split("\n").filter((line) => line.length > 20 && !line.startsWith("-")))
      expect(failure.message).not.toContain(line.slice(0, 20));
  },
);

test("a new pair that does not fit together keeps the old one, and the log says why; one that does is served", async () => {
  const files = await tlsFiles();
  const lines: string[] = [];
  const changes = new Set<() => void>();
  const write = (line: string) => {
    lines.push(line);
    for (const change of changes) change();
  };
  const seen = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => lines.some((line) => pattern.test(line)) && resolve();
      changes.add(look);
      look();
    });
  const tls = await openTls({ enabled: true, ...files }, { warn: write, info: write } as unknown as Log);
  const http = () => parseConfig({}).config.gateway.http;
  const app = createApp({ http, guardOrigin: false, tls, onBug: () => {} });
  onTestFinished(() => app.close());
  const port = Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
  const served = async () => (await connectTls(port)).getPeerCertificate().subject.CN;

  await files.replace("crt", "renewed");
  await seen(/^the certificate stays the one of before: gateway\.tls\.keyPath: \S+ is not the key of the certificate/);
  expect(await served()).toBe("gateway-test-a");
  await rm(files.certPath);
  await seen(/stays the one of before: gateway\.tls\.certPath: \S+ cannot be read \(ENOENT\)/);
  expect(await served()).toBe("gateway-test-a");
  await files.replace("crt", "renewed");
  await files.replace("key", "renewed");
  await seen(/has changed, and is served/);
  expect(await served()).toBe("gateway-test-b");
});

test("a certificate that is out of its time is served, with a word in the log", () => {
  const certificate = new X509Certificate(readFileSync(pemPath("gateway", "crt")));
  expect(certificateFault(certificate)).toBeUndefined();
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  vi.setSystemTime(Date.UTC(2200, 0));
  expect(certificateFault(certificate)).toMatch(/^this certificate has expired on 2126-/);
  vi.setSystemTime(Date.UTC(2020, 0));
  expect(certificateFault(certificate)).toMatch(/^this certificate is not valid before 2026-/);
});
