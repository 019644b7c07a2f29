import { spawn } from "node:child_process";
import { serve, tool } from "./speak.mjs";

// A child that does not end when it is asked to, and holds on to its parent's streams.
const script = 'process.on("SIGTERM", () => {}); console.error("up"); setInterval(() => {}, 1000)';
const child = spawn(process.execPath, ["-e", script], { stdio: ["inherit", "inherit", "pipe"] });
child.stderr.once("data", () => {
  serve({
    tools: () => [tool("pids"), tool("leave")],
    call: (answer, { name }) => (name === "leave" ? process.exit(0) : answer(`${process.pid} ${child.pid}`)),
  });
});
process.stdin.on("end", () => process.exit(0));
