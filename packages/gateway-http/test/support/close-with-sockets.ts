/** A process of its own: opens sockets of all kinds, closes the gateway, and says which timers are left. */
import { createGateway } from "../../src/index.ts";
import { connectSocket, openSocket } from "./socket-client.ts";

const token = "test-token-0123456789";
const gateway = createGateway({
  config: {
    gateway: { port: 0, auth: { mode: "token", token } },
    sessions: { store: { kind: "memory" } },
    logging: { level: "silent" },
  },
});
const { url } = await gateway.listen();
const strangers = await Promise.all(Array.from({ length: 10 }, () => openSocket(url)));
const guests = await Promise.all(Array.from({ length: 10 }, () => connectSocket(url, { token })));
guests[0]?.send({ type: "req", id: "w", method: "agent.wait", params: { runId: "nobody", timeoutMs: 600_000 } });
// One does not answer the goodbye.
strangers[0]?.socket.pause();
await gateway.close();
for (const { socket } of [...strangers, ...guests]) socket.terminate();
await Promise.all([...strangers.slice(1), ...guests].map(({ closed }) => closed));
const count = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
// What is over is told of over some turns of the loop.
for (let turn = 0; turn < 1000 && count() > 0; turn++) await new Promise((resolve) => setImmediate(resolve));
const timers = count();
console.log(JSON.stringify({ timers }));
