import { readFileSync } from "node:fs";
import type { GatewayAddress, LoadedConfig } from "@openclaw/gateway-http";

export interface StartTextInput {
  address: GatewayAddress;
  loaded: Pick<LoadedConfig, "config" | "env">;
  /** Where the page is, when another server shows it. */
  page: string | undefined;
  /** Whether a person reads this. Only then may the address carry the token. */
  isTerminal: boolean;
}

/** What a person sees at start-up: the page's address, and a line that does the same without the page. */
export function startText({ address, loaded, page, isTerminal }: StartTextInput): string {
  const { authMode, tokenFile } = address;
  const base = `${page ?? address.url}/`;
  const token = authMode === "token" ? readToken(tokenFile, loaded) : undefined;
  const lines = [`Playground: ${base}${isTerminal && token ? `#token=${encodeURIComponent(token)}` : ""}`];
  if (!isTerminal && tokenFile) lines.push(`Its token is in ${tokenFile}`);
  const authorization = toAuthorization(address, loaded);
  if (authorization !== undefined) lines.push("", "Without the page:", "", curl(address.url, authorization));
  return `${lines.join("\n")}\n\n`;
}

function readToken(tokenFile: string | undefined, { config, env }: StartTextInput["loaded"]): string | undefined {
  if (tokenFile !== undefined) return readFileSync(tokenFile, "utf8").trim();
  return config.gateway.auth.token ?? env.token;
}

/** curl's header as a shell can make it without the secret in it; `undefined` when only the config file has that. */
function toAuthorization({ authMode, tokenFile }: GatewayAddress, { config }: StartTextInput["loaded"]) {
  if (authMode === "none") return "";
  if (tokenFile !== undefined) return ` -H "Authorization: Bearer $(cat ${quote(tokenFile)})"`;
  // What a proxy sends cannot be sent from here.
  if (authMode === "trusted-proxy" || config.gateway.auth[authMode] !== undefined) return undefined;
  return ` -H "Authorization: Bearer $${authMode === "token" ? "OPENCLAW_GATEWAY_TOKEN" : "OPENCLAW_GATEWAY_PASSWORD"}"`;
}

function curl(url: string, authorization: string): string {
  const body = JSON.stringify({ model: "openclaw", stream: true, messages: [{ role: "user", content: "hi" }] });
  return `  curl -N ${url}/v1/chat/completions${authorization} -H 'Content-Type: application/json' -d '${body}'`;
}

/** Quoted for use inside `$( )` inside double quotes. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
