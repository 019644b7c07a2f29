import { say, serve, tool } from "./speak.mjs";

// Answers no call. That one came or was cancelled can be seen by another tool.
const names = ["wait"];
function show(name) {
  names.push(name);
  say({ method: "notifications/tools/list_changed" });
}

serve({
  tools: () => names.map((name) => tool(name)),
  call: () => show("called"),
  cancelled: () => show("cancelled"),
});
