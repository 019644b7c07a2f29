import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Config } from "../config/schema.ts";
import { ConfigError } from "../errors/config-error.ts";

/** Where a certificate, its chain after it, and its key are: PEM files. */
export type TlsPaths = Pick<NonNullable<Config["gateway"]["tls"]>, "certPath" | "keyPath">;

/** A certificate and a key that fit together. */
interface TlsPair {
  readonly options: SecureContextOptions;
  readonly certificate: X509Certificate;
}

/** @throws ConfigError naming the key and the file, and nothing that is in it */
export async function readTlsPair(paths: TlsPaths): Promise<TlsPair> {
  const [cert, key] = await Promise.all([readPem(paths, "certPath"), readPem(paths, "keyPath")]);
  const orProblem = <T>(name: keyof TlsPaths, what: string, run: () => T): T => {
    try {
      return run();
    } catch {
      // OpenSSL's own words help nobody, and it does not promise what is in them.
      throw problem(paths, name, what);
    }
  };
  const certificate = orProblem("certPath", "holds no certificate in PEM", () => new X509Certificate(cert));
  const privateKey = orProblem("keyPath", "holds no private key in PEM, or one with a passphrase", () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) throw problem(paths, "keyPath", "is not the key of the certificate");
  const options: SecureContextOptions = { cert, key, minVersion: "TLSv1.2" };
  orProblem("certPath", "cannot be served: OpenSSL refuses it or its key", () => createSecureContext(options));
  return { options, certificate };
}

/** What is wrong with a certificate that can be served all the same; `undefined`: nothing. */
export function certificateFault({ validFromDate, validToDate }: X509Certificate): string | undefined {
  const now = Date.now();
  if (validToDate.getTime() < now) return `this certificate has expired on ${validToDate.toISOString()}`;
  if (validFromDate.getTime() > now) return `this certificate is not valid before ${validFromDate.toISOString()}`;
  return undefined;
}

/** Whether clients that reach the gateway by `host`, as a URL has it, would take this certificate. */
export function isCertificateFor(pem: Buffer, host: string): boolean {
  const certificate = new X509Certificate(pem);
  const name = host.replace(/^\[|\]$/g, "");
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

async function readPem(paths: TlsPaths, name: keyof TlsPaths): Promise<string> {
  try {
    return await readFile(paths[name], "utf8");
  } catch (error) {
    throw problem(paths, name, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function problem(paths: TlsPaths, name: keyof TlsPaths, what: string): ConfigError {
  return new ConfigError(`gateway.tls.${name}: ${paths[name]} ${what}.`);
}
