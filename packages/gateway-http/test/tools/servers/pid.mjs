import { serve, tool } from "./speak.mjs";

serve({ tools: () => [tool("pid")], call: (answer) => answer(String(process.pid)) });
process.stdin.on("end", () => process.exit(0));
