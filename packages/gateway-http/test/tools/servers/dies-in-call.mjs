import { serve, tool } from "./speak.mjs";

serve({ tools: () => [tool("die")], call: () => process.exit(4) });
