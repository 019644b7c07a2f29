import type { FastifyInstance } from "fastify";
import { createAddressMatcher } from "../config/network.ts";
import type { Metrics } from "../observe/metrics.ts";
import { type ApiOptions, addApi, createGuard } from "./api.ts";
import { type AppOptions, createApp } from "./app.ts";
import { createProxyUserReader } from "./proxy-user.ts";
import { type RequestWatch, watchRequest } from "./request-log.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addMetricsRoute } from "./routes/metrics.ts";
import { addOpenApiRoute } from "./routes/openapi.ts";
import { addStatusRoute, type StatusOptions } from "./routes/status.ts";
import { followUnsent } from "./unsent.ts";
import { addUpgrades, type SocketRoom } from "./upgrade.ts";

export interface DoorOptions
  extends Omit<ApiOptions, "readProxyUser">,
    StatusOptions,
    Pick<AppOptions, "guardOrigin" | "tls" | "onBug"> {
  requests: RequestWatch;
  metrics: Metrics;
  socketRoom: SocketRoom;
  /** A folder to serve at `/`. */
  webRoot: string | undefined;
}

export interface Door extends Pick<FastifyInstance, "listen"> {
  /** @param timeoutMs how long answers that have begun may take to reach the network */
  close(timeoutMs?: number): Promise<void>;
}

/** The HTTP door: the edge, and all that is served behind it. It does not listen yet. */
export async function createDoor(options: DoorOptions): Promise<Door> {
  const { current, state, requests, metrics, authenticator, webRoot, guardOrigin, tls, socketRoom, onBug } = options;
  const { trustedProxies } = current().config.gateway;
  const isTrustedProxy = createAddressMatcher(trustedProxies);
  const readProxyUser = createProxyUserReader(isTrustedProxy, () => current().config.gateway.auth.trustedProxy);
  const edge = {
    http: () => current().config.gateway.http,
    isTrustedProxy: trustedProxies.length > 0 ? isTrustedProxy : undefined,
    guardOrigin,
    onRefused: (status: number, method = "") => requests.count({ route: undefined, method, status }),
  };
  const app = createApp({
    ...edge,
    tls,
    onRequest: (request, reply) => watchRequest(requests, request, reply),
    onBug,
  });
  addUpgrades(app, { ...edge, readProxyUser, socketRoom });
  const auth = { current, authenticator, readProxyUser };
  const forAdmin = createGuard(auth)("admin");
  addHealthRoutes(app, state);
  addOpenApiRoute(app);
  addMetricsRoute(app, forAdmin, metrics);
  addStatusRoute(app, forAdmin, options);
  await app.register(addApi, { ...options, ...auth });
  if (webRoot !== undefined) (await import("./web-root.ts")).addWebRoot(app, webRoot);
  const allSent = followUnsent(app.server, tls ? "secureConnection" : "connection");
  return {
    listen: app.listen.bind(app),
    async close(timeoutMs = 0) {
      await allSent(timeoutMs);
      await app.close();
    },
  };
}
