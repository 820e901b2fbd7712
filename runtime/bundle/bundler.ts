import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Bundle, Upload } from "../bundle-types.ts";
import { fail, fromRecord } from "../errors.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { BundleReply, BundleRequest, BundleWorkerData } from "./bundle-worker.ts";
import type { CompileLimits } from "./compile.ts";
import { esbuildEnvironment } from "./esbuild-environment.ts";
import { bundleFailed, checkUpload, wholeProblem } from "./upload.ts";

/** Settings of a bundler. */
export interface BundlerOptions {
  readonly limits?: CompileLimits;
  /** Milliseconds one upload may take; default 10,000. */
  readonly timeoutMs?: number;
}

/** Turns uploads into bundles in a worker thread of its own. */
export interface Bundler {
  /** Throws BUNDLE_FAILED with `details.problems`. */
  bundle(upload: Upload): Promise<Bundle>;
  /** Ends the worker thread; bundles under way fail with STOPPING. */
  close(): Promise<void>;
}

interface Job {
  readonly upload: Upload;
  readonly resolve: (bundle: Bundle) => void;
  readonly reject: (error: Error) => void;
  /** True once the worker broke while this job was in it: it then runs with no other beside it. */
  suspect: boolean;
  timer: NodeJS.Timeout | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** A source whose syntax tree is larger breaks the worker instead of the server. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 768 };
const WORKER = new URL("./thread.mjs", import.meta.url);

/**
 * One worker thread and the jobs in it. A source can make esbuild crash or hang (for example by nesting half a million
 * levels deep): the worker is then replaced, and the jobs that were in it run again, each alone, so that only the one
 * that did it fails.
 */
class WorkerBundler implements Bundler {
  readonly #data: BundleWorkerData;
  readonly #timeoutMs: number;
  readonly #running = new Map<number, Job>();
  #waiting: Job[] = [];
  #nextId = 0;
  #worker: Worker | undefined;
  #closed = false;

  constructor({ limits, timeoutMs }: BundlerOptions) {
    this.#data = { limits: limits ?? DEFAULT_LIMITS, directory: mkdtempSync(join(tmpdir(), "weft-bundle-")) };
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#startWorker();
  }

  async bundle(upload: Upload): Promise<Bundle> {
    checkUpload(upload, this.#data.limits);
    if (this.#closed) throw fail("STOPPING");
    return await new Promise<Bundle>((resolve, reject) => {
      this.#waiting.push({ upload, resolve, reject, suspect: false, timer: undefined });
      this.#pump();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    for (const job of [...this.#waiting, ...this.#running.values()])
      this.#finish(job, () => job.reject(fail("STOPPING")));
    this.#waiting = [];
    this.#running.clear();
    await worker?.terminate();
    rmSync(this.#data.directory, { recursive: true, force: true });
  }

  #startWorker(): Worker {
    const { maxScriptBytes, maxBundleBytes } = this.#data.limits;
    const workerData: BundleWorkerData = { ...this.#data, limits: { maxScriptBytes, maxBundleBytes } };
    const worker = new Worker(WORKER, { workerData, env: esbuildEnvironment(), resourceLimits: WORKER_LIMITS });
    worker.unref();
    worker.on("message", (reply: BundleReply) => this.#receive(worker, reply));
    worker.on("error", () => this.#replace(worker));
    worker.on("exit", () => this.#replace(worker));
    this.#worker = worker;
    return worker;
  }

  /** Sends what may run now: everything, or a suspect with nothing beside it. */
  #pump(): void {
    if (this.#closed) return;
    const alone = [...this.#running.values()].some((job) => job.suspect);
    if (alone) return;
    const suspect = this.#waiting.find((job) => job.suspect);
    if (suspect === undefined) {
      for (const job of this.#waiting.splice(0)) this.#send(job);
    } else if (this.#running.size === 0) {
      this.#waiting.splice(this.#waiting.indexOf(suspect), 1);
      this.#send(suspect);
    }
  }

  #send(job: Job): void {
    const worker = this.#worker ?? this.#startWorker();
    const id = this.#nextId++;
    this.#running.set(id, job);
    worker.ref();
    job.timer = setTimeout(() => this.#replace(worker), this.#timeoutMs);
    worker.postMessage({ id, upload: job.upload } satisfies BundleRequest);
  }

  #receive(worker: Worker, reply: BundleReply): void {
    if (worker !== this.#worker) return;
    const job = this.#running.get(reply.id);
    if (job === undefined) return;
    if (reply.status === "broken") {
      this.#replace(worker);
      return;
    }
    this.#running.delete(reply.id);
    if (this.#running.size === 0) worker.unref();
    this.#finish(job, () =>
      reply.status === "done" ? job.resolve(reply.bundle) : job.reject(fromRecord(reply.error)),
    );
    this.#pump();
  }

  #finish(job: Job, tell: () => void): void {
    clearTimeout(job.timer);
    tell();
  }

  /** Ends a worker that broke, hangs or died, and has its jobs run again one by one. */
  #replace(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    void worker.terminate();
    const jobs = [...this.#running.values()];
    this.#running.clear();
    for (const job of jobs) {
      clearTimeout(job.timer);
      if (job.suspect) job.reject(tooHard(job.upload, this.#timeoutMs));
      else this.#waiting.push(Object.assign(job, { suspect: true }));
    }
    this.#pump();
  }
}

function tooHard(upload: Upload, timeoutMs: number): Error {
  const text = `the source cannot be compiled within ${timeoutMs} ms; it is nested too deeply or far too complex`;
  return bundleFailed([wholeProblem(text, upload.entry ?? upload.files[0]?.path ?? "main.ts")]);
}

/** Starts a bundler with its worker thread. */
export function createBundler(options: BundlerOptions = {}): Bundler {
  return new WorkerBundler(options);
}
