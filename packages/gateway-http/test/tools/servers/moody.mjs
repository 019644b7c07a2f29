import { say, serve, tool } from "./speak.mjs";

// Lists its tools once, and then only says that they are others now. Answers with how often it was asked.
let asked = 0;
serve({
  tools() {
    asked += 1;
    return asked === 1 ? [tool("asked")] : "not now";
  },
  call(answer) {
    if (asked === 1) say({ method: "notifications/tools/list_changed" });
    answer(String(asked));
  },
});
