import { flushCompileCache } from "node:module";
import { Socket } from "node:net";
import { toRecord, toWorkflowError } from "../errors.ts";
import { readFrames } from "../host/frames.ts";
import { toDiskError } from "./disk-full.ts";
import type { DatastoreLimits, LaneName } from "./operations.ts";
import { createPerform } from "./perform.ts";

/** What a process is told when it starts, as JSON in its first argument. */
export interface QueryHello {
  readonly lane: LaneName;
  readonly limits: DatastoreLimits;
}

const end = () => process.kill(process.pid, "SIGKILL");

const { lane, limits }: QueryHello = JSON.parse(process.argv[2] ?? "");
const socket = new Socket({ fd: 3, readable: true, writable: true });
const perform = await createPerform(lane, limits);
// The parent is gone: so is whoever waits for an answer.
socket.on("close", end);
socket.on("error", end);

/** CPU time of the process so far, in ms: it is replaced before the kernel ends it for this. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1_000);
};

const answer = ([json = ""]: string[]): void => {
  try {
    const result = perform(JSON.parse(json));
    socket.write(`done\t${cpuMs()}\t${result}\n`);
  } catch (thrown) {
    const error = toWorkflowError(toDiskError(thrown));
    const { cause } = error;
    const reason = error.code === "INTERNAL" && cause instanceof Error ? (cause.stack ?? cause.message) : "";
    socket.write(`failed\t${cpuMs()}\t${JSON.stringify(toRecord(error))}\t${JSON.stringify(reason)}\n`);
  }
};

// All code is there; only SQLite opens files from now on, and Node's permissions are not asked for those.
flushCompileCache();
for (const scope of ["fs.read", "fs.write"]) process.permission?.drop(scope);
// Said before any work begins: work may not let a word out until it is done.
socket.write("ready\n", () => readFrames(socket, answer));
