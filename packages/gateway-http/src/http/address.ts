import type { Config } from "../config/schema.ts";

/** Which address to listen on, and whether only this machine can reach it. */
export function listenAddress(gateway: Pick<Config["gateway"], "port" | "bind" | "customBindHost">): {
  host: string;
  port: number;
  loopback: boolean;
} {
  const { port, bind, customBindHost } = gateway;
  const host = bind === "lan" ? "0.0.0.0" : bind === "custom" ? (customBindHost as string) : "127.0.0.1";
  return { host, port, loopback: host === "::1" || host === "localhost" || /^127\./.test(host) };
}
