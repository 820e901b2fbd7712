import type { ChildProcess } from "node:child_process";
import { fail, fromRecord, type WorkflowError } from "../../errors.ts";
import { residentBytes } from "../../worker/spawn-host.ts";
import { toDiskError } from "../disk-full.ts";
import { publishPart, removePart } from "../writer.ts";
import type { FromIngest, IngestJob, ToIngest } from "./messages.ts";
import { spawnIngest } from "./spawn-ingest.ts";
import { DEFAULT_OPTIONS, type Ingest, type IngestReport, type IngestRequest } from "./types.ts";

const WATCH_MS = 250;
const MIB = 1024 * 1024;
/** Of what the process says when it dies. */
const MAX_STDERR_CHARS = 4_000;
const OUT_OF_MEMORY = /heap out of memory|Allocation failed|out of memory|bad_alloc/i;

/** One import under way. */
class Import {
  readonly #request: IngestRequest;
  readonly #child: ChildProcess;
  readonly #done = Promise.withResolvers<IngestReport>();
  readonly #begun = performance.now();
  readonly #watch: NodeJS.Timeout;
  #lastSign = performance.now();
  #mayStall = true;
  #embedding = 0;
  #report: IngestReport | null = null;
  #failure: unknown = null;
  #failed = false;
  #stderr = "";

  constructor(request: IngestRequest) {
    this.#request = request;
    const { source, target, limits } = request;
    this.#child = spawnIngest({ source, target, memoryMb: limits.importMemoryMb });
    this.#child.on("message", (message: FromIngest) => this.#receive(message));
    this.#child.on("error", (error) => this.#fail(fail("INTERNAL", {}, error)));
    this.#child.on("close", () => this.#gone());
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS);
    });
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    request.signal?.addEventListener("abort", this.#abort);
    if (request.signal?.aborted === true) this.#abort();
    this.#send({ type: "start", job: toJob(request) });
  }

  get result(): Promise<IngestReport> {
    return this.#done.promise;
  }

  readonly #abort = () => this.#fail(fail("EXECUTION_CANCELLED", { message: "The import was cancelled." }));

  #send(message: ToIngest): void {
    // A process that is gone is dealt with when it closes.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #receive(message: FromIngest): void {
    this.#lastSign = performance.now();
    if (this.#failed || this.#report !== null) return;
    switch (message.type) {
      case "progress":
        this.#mayStall = message.progress.phase === "reading";
        this.#request.onProgress?.(message.progress);
        break;
      case "embed":
        void this.#embed(message.id, message.texts);
        break;
      case "done":
        this.#report = message.report;
        this.#child.kill("SIGKILL");
        break;
      case "failed":
        this.#fail(toError(message));
    }
  }

  async #embed(id: number, texts: readonly string[]): Promise<void> {
    this.#embedding++;
    try {
      if (this.#request.embed === undefined) throw fail("INTERNAL", {}, new Error("an import without embed"));
      this.#send({ type: "embedded", id, vectors: await this.#request.embed(texts) });
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#embedding--;
      this.#lastSign = performance.now();
    }
  }

  #look(): void {
    const { importMs, importStallMs, importMemoryMb } = this.#request.limits;
    const now = performance.now();
    const stalled = this.#mayStall && this.#embedding === 0 && now - this.#lastSign > importStallMs;
    if (now - this.#begun > importMs) this.#fail(overLimit("importMs", importMs, "took longer than it may"));
    else if (stalled)
      this.#fail(
        overLimit("importStallMs", importStallMs, "did not get on with reading its file, which may be damaged"),
      );
    else if (residentBytes(this.#child.pid ?? 0, 0) > importMemoryMb * MIB) this.#fail(outOfMemory(importMemoryMb));
  }

  #fail(thrown: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = thrown;
    if (this.#child.pid === undefined) this.#gone();
    else this.#child.kill("SIGKILL");
  }

  /** The process is gone: what it left is removed, and only then is the outcome told. */
  #gone(): void {
    clearInterval(this.#watch);
    this.#request.signal?.removeEventListener("abort", this.#abort);
    if (this.#report !== null && !this.#failed) {
      void this.#publish(this.#report);
      return;
    }
    if (!this.#failed) this.#failure = this.#death();
    removePart(this.#request.target);
    this.#done.reject(this.#failure);
  }

  /** The process may not sync files, so the last step is ours. */
  async #publish(report: IngestReport): Promise<void> {
    try {
      await publishPart(this.#request.target);
      this.#done.resolve(report);
    } catch (thrown) {
      removePart(this.#request.target);
      this.#done.reject(toDiskError(thrown));
    }
  }

  /** Why a process that nobody killed is gone. */
  #death(): WorkflowError {
    if (OUT_OF_MEMORY.test(this.#stderr)) return outOfMemory(this.#request.limits.importMemoryMb);
    const { exitCode, signalCode } = this.#child;
    const how = `the import process ended with ${signalCode ?? exitCode}: ${this.#stderr}`;
    // The kernel ends what takes the memory of others.
    if (signalCode === "SIGKILL")
      return fail("LIMIT_EXCEEDED", { message: "The process of the import was killed." }, new Error(how));
    return fail("INTERNAL", {}, new Error(how));
  }
}

function overLimit(limit: string, value: number, what: string): WorkflowError {
  return fail("LIMIT_EXCEEDED", { message: `The import ${what} (${limit}: ${value}).`, limit, value });
}

const outOfMemory = (mb: number) =>
  overLimit(
    "importMemoryMb",
    mb,
    "needed more memory than it may; a file with smaller records or row groups needs less",
  );

function toError({
  error,
  trace,
}: {
  readonly error: Parameters<typeof fromRecord>[0];
  readonly trace: string;
}): WorkflowError {
  return error.code === "INTERNAL" ? fail("INTERNAL", {}, new Error(trace)) : fromRecord(error);
}

function toJob({ source, format, options, schema, target, revision, limits }: IngestRequest): IngestJob {
  return {
    source,
    format,
    options: { ...DEFAULT_OPTIONS, ...options },
    declared: schema ?? {},
    target,
    revision,
    limits,
  };
}

/** See {@link Ingest}. */
export const ingest: Ingest = (request) => new Import(request).result;
