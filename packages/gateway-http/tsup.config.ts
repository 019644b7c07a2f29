import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/cli.ts"],
  format: "esm",
  target: "node22",
  sourcemap: true,
  clean: true,
  dts: false, // tsup cannot make declarations with TypeScript 7: tsc -p tsconfig.build.json does
  removeNodeProtocol: false, // the default strips "node:", which breaks modules that exist only under it
});
