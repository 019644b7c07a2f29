/**
 * A disk that takes its time: loaded before a gateway with `--import <this file>?ms=<n>`, it makes every commit of
 * SQLite block its thread that long, as a sync does. Threads inherit it with the process's other flags.
 */
import { DatabaseSync } from "node:sqlite";

const ms = Number(new URL(import.meta.url).searchParams.get("ms"));
const { exec } = DatabaseSync.prototype;
const clock = new Int32Array(new SharedArrayBuffer(4));

DatabaseSync.prototype.exec = function (sql) {
  if (sql.trim().toUpperCase() === "COMMIT") Atomics.wait(clock, 0, 0, ms);
  exec.call(this, sql);
};
