import { defineConfig } from "tsup";

export default defineConfig({
  // The database's thread is a file of its own: a worker is started from one.
  entry: { index: "src/index.ts", cli: "src/cli.ts", "sqlite-thread": "src/sessions/sqlite/thread.ts" },
  format: "esm",
  target: "node22",
  sourcemap: true,
  clean: true,
  dts: false, // tsup cannot make declarations with TypeScript 7: tsc -p tsconfig.build.json does
  removeNodeProtocol: false, // the default strips "node:", which breaks modules that exist only under it
});
