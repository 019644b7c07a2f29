import { serve, tool } from "./speak.mjs";

// Ends neither with its input nor when it is asked to.
process.on("SIGTERM", () => {});
setInterval(() => {}, 1000);
serve({ tools: () => [tool("pids")], call: (answer) => answer(String(process.pid)) });
