import { say, serve, tool } from "./speak.mjs";

// Lists its tools, and then asks without an end and reads nothing: many small questions, or large ones.
serve({
  tools() {
    setTimeout(ask);
    return [tool("wait")];
  },
});

let asked = 0;
function ask() {
  process.stdin.pause();
  while (say({ id: `${"x".repeat(Number(process.env.ID ?? 1))}${asked++}`, method: "ping" }));
  process.stdout.once("drain", ask);
}
