import { say, serve, tool } from "./speak.mjs";

const names = ["grow"];
serve({
  tools: () => names.map((name) => tool(name)),
  call(answer) {
    names.push(`more${names.length}`);
    say({ method: "notifications/tools/list_changed" });
    answer("grown");
  },
});
