#!/usr/bin/env node
import module from "node:module";

// Checked before anything else is loaded: an old Node would fail on an import with words that help nobody.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`openclaw-gateway needs Node 22.19 or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  // Keeps compiled code between starts: imports take less time. Does nothing where it may not write.
  module.enableCompileCache?.();
  const { main } = await import("./cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
}
