/** The thread that owns the database: nothing that waits for the disk waits on the event loop of the streams. */
import { parentPort, workerData } from "node:worker_threads";
import { Database } from "./database.ts";
import { LockedError } from "./lock.ts";
import type { Batch, Opened, OpenOptions } from "./operations.ts";

// Node 22 calls its own SQLite experimental, once in every process that uses it. Nobody here can do anything about it.
process.removeAllListeners("warning");

const database = open(workerData as OpenOptions);

parentPort?.on("message", (batch: Batch | "close") => {
  if (batch !== "close") return parentPort?.postMessage(database?.execute(batch));
  database?.close();
  parentPort?.close();
});

function open(options: OpenOptions): Database | undefined {
  const tell = (message: Opened) => parentPort?.postMessage(message);
  try {
    const opened = new Database(options);
    tell({ opened: true });
    return opened;
  } catch (error) {
    tell({ opened: false, locked: error instanceof LockedError, error: error instanceof Error ? error.message : "" });
    parentPort?.close();
    return undefined;
  }
}
