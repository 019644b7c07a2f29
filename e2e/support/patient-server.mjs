import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { serve, tool } from "../../packages/gateway-http/test/tools/servers/speak.mjs";

// Its tools take until there is a file of their name in the folder, and then say so.
const folder = process.argv[2];
serve({
  tools: () => ["fetch_it", "keep_it"].map((name) => tool(name)),
  async call(answer, { name }) {
    while (!existsSync(`${folder}/${name}`)) await delay(20);
    answer(`${name} is there`);
  },
});
