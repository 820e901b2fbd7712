#!/usr/bin/env node
import { runCli } from "./program.ts";

const stopping = new AbortController();

/** One Ctrl-C can arrive twice (from the terminal and passed on by npm): within this time it is the same one. */
const SAME_SIGNAL_MS = 500;
let firstSignalAt = 0;

function onSignal(): void {
  // The second one means that the orderly end takes too long.
  if (stopping.signal.aborted && performance.now() - firstSignalAt > SAME_SIGNAL_MS) process.exit(130);
  if (stopping.signal.aborted) return;
  firstSignalAt = performance.now();
  stopping.abort();
}

function onOutputError(error: NodeJS.ErrnoException): void {
  // The reader of a pipe has gone, as in `weft list | head`.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}

process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
process.stdout.on("error", onOutputError);

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  interactive: process.stdout.isTTY === true && process.stderr.isTTY === true,
  signal: stopping.signal,
});
