// Plain JavaScript: a thread that strips types loads a compiler of 20 MiB for it.
import { fdatasyncSync } from "node:fs";
import { parentPort } from "node:worker_threads";

// Flushes the descriptor it is sent and answers null, or the error's code and message.
parentPort.on("message", (descriptor) => {
  try {
    fdatasyncSync(descriptor);
    parentPort.postMessage(null);
  } catch (error) {
    parentPort.postMessage(error instanceof Error ? error.message : String(error));
  }
});
