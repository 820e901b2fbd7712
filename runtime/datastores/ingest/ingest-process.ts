import { flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { toRecord, toWorkflowError } from "../../errors.ts";
import { toDiskError } from "../disk-full.ts";
import type { FromIngest, IngestJob, ToIngest } from "./messages.ts";
import { runJob } from "./run-job.ts";
import type { IngestProgress } from "./types.ts";

/** Time between reports of progress. */
const REPORT_MS = 250;

/**
 * Ends the process with its parent, whose end of standard input closes then; on a thread of its own, since the building
 * of an index may keep this one busy for minutes.
 */
const WATCH = `
const { readSync } = require("node:fs");
const byte = Buffer.alloc(1);
try { while (readSync(0, byte) > 0); } catch {}
process.kill(process.pid, "SIGKILL");
`;

/** As `spawnIngest` names it. */
const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/weft/", import.meta.url));

const send = (message: FromIngest) => void process.send?.(message);

/** Asks the parent for embeddings; answers come in any order. */
class Embeddings {
  readonly #waiting = new Map<number, (vectors: readonly (readonly number[])[]) => void>();
  #next = 1;

  ask(texts: readonly string[]): Promise<readonly (readonly number[])[]> {
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<readonly (readonly number[])[]>();
    this.#waiting.set(id, resolve);
    send({ type: "embed", id, texts });
    return promise;
  }

  answer(id: number, vectors: readonly (readonly number[])[]): void {
    this.#waiting.get(id)?.(vectors);
    this.#waiting.delete(id);
  }
}

/** Passes on what is new a few times a second, and every change of phase at once. */
function createReporter(): (progress: IngestProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  let phase = "";
  return (progress) => {
    const now = performance.now();
    const changed = progress.phase !== phase && progress.phase === "indexing";
    if (now - last < REPORT_MS && !changed) return;
    last = now;
    phase = progress.phase;
    send({ type: "progress", progress });
  };
}

async function start(job: IngestJob, embeddings: Embeddings): Promise<void> {
  const progress = createReporter();
  try {
    const report = await runJob(job, { embed: (texts) => embeddings.ask(texts), progress });
    send({ type: "done", report });
  } catch (thrown) {
    const error = toWorkflowError(toDiskError(thrown));
    const cause = error.cause instanceof Error ? error.cause.stack : error.stack;
    send({ type: "failed", error: toRecord(error), trace: cause ?? String(error.cause) });
  }
}

/** The process of one import; its parent ends it once it has reported how the import ended. */
export function serveImport(): void {
  // All code is there: what is read from now on cannot become code of the next process.
  flushCompileCache();
  process.permission?.drop("fs.write", CACHE);
  new Worker(WATCH, { eval: true }).unref();
  const embeddings = new Embeddings();
  process.on("message", (message: ToIngest) => {
    if (message.type === "start") void start(message.job, embeddings);
    else embeddings.answer(message.id, message.vectors);
  });
}
