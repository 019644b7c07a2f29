import { spawn } from "node:child_process";
import { loadConfig } from "@openclaw/gateway-http";
import { createServer } from "vite";

// The gateway from its sources, started anew on every change, and the page from Vite, which passes /v1 on to it.
const PAGE = { host: "127.0.0.1", port: 5173 };
const pageUrl = `http://${PAGE.host}:${PAGE.port}`;

const { config } = await loadConfig();
const gatewayPort = config.gateway.port || 18_789;

const vite = await createServer({
  resolve: { conditions: ["@openclaw/source", "module", "browser", "development|production"] },
  server: {
    ...PAGE,
    strictPort: true,
    // The Host header stays as it is: in auth mode none the gateway compares it with the page's Origin.
    proxy: { "/v1": { target: `http://127.0.0.1:${gatewayPort}`, changeOrigin: false, ws: true } },
  },
  logLevel: "warn",
});
await vite.listen();

const gateway = spawn(
  process.execPath,
  ["--watch", "--watch-preserve-output", "--conditions=@openclaw/source", "server.ts", "--page", pageUrl],
  { cwd: import.meta.dirname, stdio: "inherit", env: { ...process.env, OPENCLAW_GATEWAY_PORT: String(gatewayPort) } },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => gateway.kill(signal));
gateway.on("exit", (code) => {
  process.exitCode = code ?? 0;
  void vite.close();
});
