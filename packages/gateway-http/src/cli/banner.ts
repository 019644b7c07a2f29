import { readFileSync } from "node:fs";
import type { LoadedConfig } from "../config/load.ts";
import type { Gateway, GatewayAddress } from "../gateway.ts";
import { isCertificateFor } from "../http/tls-pair.ts";

export interface BannerInput {
  address: GatewayAddress;
  gateway: Pick<Gateway, "agents" | "defaultAgent">;
  loaded: Pick<LoadedConfig, "config" | "path">;
}

/** What a person sees at start-up. Never a secret: a token is named by its file. */
export function banner({ address, gateway, loaded }: BannerInput): string {
  const { http, auth, tls } = loaded.config.gateway;
  const { enabled } = http.endpoints.chatCompletions;
  const agents = gateway.agents.map((agent) => (agent === gateway.defaultAgent ? `${agent.id} (default)` : agent.id));
  const lines = [
    `OpenClaw Gateway on ${address.url}`,
    `  config  ${loaded.path ?? "none (openclaw-gateway init writes one)"}`,
    `  agents  ${agents.join(", ")}`,
    `  auth    ${address.authMode}${address.tokenFile ? `, in ${address.tokenFile}` : ""}${byProxy(address, auth)}`,
    `  chat    ${enabled ? `${address.url}/v1/chat/completions` : "off"}`,
  ];
  if (!enabled) {
    lines.push("", "The chat endpoint is off. Turn it on with --enable-chat, or write a config: openclaw-gateway init");
  } else if (address.tokenFile || address.authMode === "none") {
    const certPath = tls?.enabled ? tls.certPath : undefined;
    // By an address that the certificate does not name, curl would refuse to talk.
    const works = certPath === undefined || isCertificateFor(readFileSync(certPath), new URL(address.url).hostname);
    if (works) lines.push("", "Try it:", "", curl(address, certPath));
  }
  return `${lines.join("\n")}\n\n`;
}

/** A line that works as it stands, in any POSIX shell. */
function curl({ url, tokenFile }: GatewayAddress, certPath: string | undefined): string {
  const trust = certPath === undefined ? "" : ` --cacert ${quote(certPath)}`;
  const authorization = tokenFile ? ` -H "Authorization: Bearer $(cat ${quote(tokenFile)})"` : "";
  const body = JSON.stringify({ model: "openclaw", stream: true, messages: [{ role: "user", content: "hi" }] });
  return `  curl -N${trust} ${url}/v1/chat/completions${authorization} -H 'Content-Type: application/json' -d '${body}'`;
}

function byProxy({ authMode }: GatewayAddress, { trustedProxy }: LoadedConfig["config"]["gateway"]["auth"]): string {
  return authMode === "trusted-proxy" && trustedProxy ? `, the user is in ${trustedProxy.userHeader}` : "";
}

/** Quoted for use inside `$( )` inside double quotes. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
