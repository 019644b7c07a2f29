import { serve, tool } from "./speak.mjs";

serve({ tools: () => [tool("env")], call: (answer) => answer(JSON.stringify(process.env)) });
