import { serve, tool } from "./speak.mjs";

serve({ tools: () => [tool("huge")], call: (answer) => answer("x".repeat(40 * 1024 * 1024)) });
