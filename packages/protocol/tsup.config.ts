import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/wire.ts", "src/socket/index.ts"],
  format: "esm",
  target: "es2023",
  sourcemap: true,
  clean: true,
  dts: false, // tsup cannot make declarations with TypeScript 7: tsc -p tsconfig.build.json does
});
