import { defineConfig } from "vite";

export default defineConfig({
  root: "web",
  // No plugin: Vite's own compiler knows JSX.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2024",
    // The page's Content-Security-Policy allows files of its own origin and nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
