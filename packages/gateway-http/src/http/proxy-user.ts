import type { IncomingMessage } from "node:http";
import type { ProxyUser } from "../auth/attempt.ts";
import type { Config } from "../config/schema.ts";

type Gateway = Config["gateway"];

/**
 * 1 to 256 characters. Of those that cannot be seen none, but for spaces within: two names that look the same are one
 * to whoever lists or reads them, and would be two owners.
 */
const NAME = /^(?!\p{White_Space})[^\p{Cc}\p{Cf}]{1,256}(?<!\p{White_Space})$/u;

/** A byte order mark is no mark of a header: it stays, and is refused. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads whom a trusted proxy names as the user (`gateway.auth.mode` `trusted-proxy`). Only the peer of the socket is
 * asked for its address: every header is whatever the sender wrote.
 *
 * @param isTrusted - Whether an address is one of `gateway.trustedProxies`.
 * @param current - `gateway.auth.trustedProxy` of now
 */
export function createProxyUserReader(
  isTrusted: (address: string | undefined) => boolean,
  current: () => Gateway["auth"]["trustedProxy"],
): (request: IncomingMessage) => ProxyUser {
  let last: Gateway["auth"]["trustedProxy"];

  return (request) => {
    // A config without it wants another mode, which needs a restart: until then what was said before holds.
    last = current() ?? last;
    if (!last || !isTrusted(request.socket.remoteAddress)) {
      return { refusal: "This request did not come through a proxy of gateway.trustedProxies." };
    }
    const { userHeader, requiredHeaders, allowUsers } = last;
    const missing = requiredHeaders.find((name) => valuesOf(request, name).every((value) => value.trim() === ""));
    if (missing !== undefined) {
      return { refusal: `The proxy sent no ${missing}, which gateway.auth.trustedProxy.requiredHeaders asks for.` };
    }
    const values = valuesOf(request, userHeader);
    if (values.length !== 1) {
      const what = values.length === 0 ? `no ${userHeader}` : `more than one ${userHeader}`;
      return { refusal: `The proxy sent ${what}, which gateway.auth.trustedProxy.userHeader names.` };
    }
    const name = decode(values[0] as string);
    if (name === undefined) {
      return {
        refusal: `${userHeader} must be 1 to 256 characters in UTF-8, without control characters, format characters or blanks around it.`,
      };
    }
    if (allowUsers.length > 0 && !allowUsers.includes(name)) {
      return { refusal: "This user is not one of gateway.auth.trustedProxy.allowUsers." };
    }
    return { name };
  };
}

/** One for each time that a header was sent: Node joins some that are repeated, and drops others. */
function valuesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) values.push(rawHeaders[index + 1] as string);
  }
  return values;
}

/** Node reads header bytes as Latin-1. */
function decode(value: string): string | undefined {
  try {
    const name = utf8.decode(Buffer.from(value.replace(/^[ \t]+|[ \t]+$/g, ""), "latin1"));
    return NAME.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
