#!/usr/bin/env node
import module from "node:module";

// Checked before anything else is loaded: an old Node would fail on an import with words that help nobody.
// Those in between could not serve requests that offer another protocol than WebSockets.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 21) || major === 23 || (major === 24 && minor < 9)) {
  const { node } = process.versions;
  process.stderr.write(`openclaw-gateway needs Node 22.21 or newer, of 24 24.9 or newer; this is ${node}.\n`);
  process.exitCode = 1;
} else {
  // Keeps compiled code between starts: imports take less time. Does nothing where it may not write.
  module.enableCompileCache?.();
  const { main } = await import("./cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
}
