import type { LookupFunction } from "node:net";
import { isIPv6 } from "node:net";
import type { Dispatcher } from "undici";
import { inMiB } from "./refuse-media.ts";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface DownloadOptions {
  /** Where to connect to, whatever the URL's host means to anybody else. At least one. */
  addresses: readonly string[];
  accept: string;
  maxBytes: number;
  signal: AbortSignal;
}

export type Download =
  | { kind: "body"; bytes: Buffer }
  | { kind: "redirect"; location: string }
  | { kind: "refused"; reason: string };

/** One GET over a connection of its own, without cookies, credentials or compression. Follows nothing. */
export async function download(url: URL, { addresses, accept, maxBytes, signal }: DownloadOptions): Promise<Download> {
  // Loaded on first use: undici is the slowest import of this package.
  const { Client } = await import("undici");
  const client = new Client(url.origin, {
    allowH2: false,
    autoSelectFamily: true,
    // The name still goes into Host and the TLS handshake; only where it leads is settled.
    connect: { lookup: lookupOf(addresses) },
  });
  try {
    const headers = { accept, "accept-encoding": "identity", "user-agent": "openclaw-gateway" };
    const response = await client.request({ method: "GET", path: `${url.pathname}${url.search}`, headers, signal });
    // Left unread, it ends with its connection.
    response.body.on("error", () => {});
    return await read(response, maxBytes);
  } finally {
    await client.destroy();
  }
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData, maxBytes: number): Promise<Download> {
  const tooLarge = { kind: "refused", reason: `is larger than ${inMiB(maxBytes)}` } as const;
  const { location } = headers;
  if (REDIRECTS.has(statusCode) && typeof location === "string") return { kind: "redirect", location };
  if (statusCode !== 200) return { kind: "refused", reason: `its server answered ${statusCode}` };
  const encoding = headers["content-encoding"] ?? "identity";
  if (String(encoding).toLowerCase() !== "identity") return { kind: "refused", reason: "its server compressed it" };
  if (Number(headers["content-length"]) > maxBytes) return tooLarge;
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += (piece as Buffer).length;
    if (size > maxBytes) return tooLarge;
    pieces.push(piece as Buffer);
  }
  return { kind: "body", bytes: Buffer.concat(pieces) };
}

/** Says the same addresses, whoever is asked for. */
function lookupOf(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  return (_host, options, callback) => {
    if (options.all) callback(null, found);
    else callback(null, found[0]?.address ?? "", found[0]?.family);
  };
}
