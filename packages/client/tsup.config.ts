import { defineConfig } from "tsup";

export default defineConfig({
  // What all of them need is shared: an error has one class, whichever of them throws it.
  entry: ["src/index.ts", "src/tools/index.ts", "src/output/index.ts", "src/debug/index.ts", "src/socket/index.ts"],
  format: "esm",
  target: "es2023",
  sourcemap: true,
  clean: true,
  dts: false, // tsup cannot make declarations with TypeScript 7: tsc -p tsconfig.build.json does
});
