import type { ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { type ErrorRecord, fail, fromRecord, type WorkflowError } from "../errors.ts";
import { readFrames } from "../host/frames.ts";
import { overLimit } from "./complain.ts";
import { UNTIMED } from "./operations.ts";
import type { QueryHello } from "./query-process.ts";
import { RECYCLE_CPU_MS, spawnQueryProcess } from "./spawn-query-process.ts";

/** One operation on its way: the frame, and whoever waits for it. */
export interface Task {
  readonly frame: string;
  readonly signal: AbortSignal | undefined;
  resolve(json: string): void;
  reject(error: WorkflowError): void;
}

/** How a worker is started, and whom it tells. */
export interface WorkerOptions {
  readonly hello: QueryHello;
  /** Directory for SQLite's temporary files. */
  readonly temporary: string;
  /** It has done its task. */
  onIdle(worker: QueryWorker): void;
  /** It takes no more tasks. */
  onEnd(worker: QueryWorker): void;
}

const START_MS = 30_000;
const IDLE_MS = 30_000;
/** Node's timers fire at once when they are set for longer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Where its frames travel. Without file descriptors left, Node makes no streams at all. */
function socketOf({ stdio }: { readonly stdio?: ChildProcess["stdio"] }): Socket {
  const socket = stdio?.[3];
  if (socket instanceof Socket) return socket;
  throw notStarted();
}

const notStarted = (): WorkflowError =>
  fail("OVERLOADED", { message: "datastore: no query process could be started; try again shortly" });

/** The parent's side of one query process: one task at a time, killed when that takes too long or is given up. */
export class QueryWorker {
  readonly #options: WorkerOptions;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #exited = Promise.withResolvers<void>();
  #ready = false;
  #ended = false;
  #task: Task | null = null;
  #timer: NodeJS.Timeout | undefined;
  readonly #giveUp = () => this.#kill(cancelled());

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#child = spawnQueryProcess(options.hello, options.temporary);
    this.#child.on("error", () => this.#gone(null));
    this.#socket = socketOf(this.#child);
    this.#socket.on("error", () => undefined);
    this.#child.on("exit", (code, signal) => this.#gone(signal ?? `exit ${code}`));
    readFrames(this.#socket, (fields) => this.#receive(fields));
  }

  /** Begins a task; only one at a time. */
  run(task: Task): void {
    this.#task = task;
    this.#hold(true);
    task.signal?.addEventListener("abort", this.#giveUp);
    this.#socket.write(`${task.frame}\n`);
    this.#watch();
  }

  /** Ends the process, its task fails with `reason`; resolves when it is gone. */
  end(reason: WorkflowError): Promise<void> {
    this.#child.ref();
    this.#kill(reason);
    return this.#exited.promise;
  }

  /** Nothing to do: the process ends after a while, and does not keep this one alive. */
  rest(): void {
    this.#hold(false);
    this.#alarm(IDLE_MS, spent());
    this.#timer?.unref();
  }

  /** The time of a task begins when the process is there to work on it. */
  #watch(): void {
    const { datastoreMs } = this.#options.hello.limits;
    if (!this.#ready) this.#alarm(START_MS, notStarted());
    else if (UNTIMED.has(this.#options.hello.lane)) clearTimeout(this.#timer);
    else this.#alarm(datastoreMs, overLimit("time in ms", "datastoreMs", datastoreMs));
  }

  #alarm(ms: number, reason: WorkflowError): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#kill(reason), Math.min(ms, MAX_TIMER_MS));
  }

  #hold(busy: boolean): void {
    if (busy) {
      this.#child.ref();
      this.#socket.ref();
    } else {
      this.#child.unref();
      this.#socket.unref();
    }
  }

  #kill(reason: WorkflowError): void {
    this.#child.kill("SIGKILL");
    this.#close(reason);
  }

  #receive([kind = "", cpuMs = "", json = "", cause = ""]: string[]): void {
    if (kind === "ready") {
      this.#ready = true;
      if (this.#task !== null) this.#watch();
      return;
    }
    const task = this.#finish();
    if (kind === "done") task?.resolve(json);
    else task?.reject(errorOf(JSON.parse(json), JSON.parse(cause)));
    if (Number(cpuMs) > RECYCLE_CPU_MS) this.#kill(spent());
    else if (!this.#ended) this.#options.onIdle(this);
  }

  #finish(): Task | null {
    clearTimeout(this.#timer);
    const task = this.#task;
    this.#task = null;
    task?.signal?.removeEventListener("abort", this.#giveUp);
    return task;
  }

  /** From now on it takes no task; the one it has fails. */
  #close(reason: WorkflowError): void {
    if (this.#ended) return;
    this.#ended = true;
    const task = this.#finish();
    this.#options.onEnd(this);
    task?.reject(reason);
  }

  /** `signal` is what ended it; null: it never began. */
  #gone(signal: string | null): void {
    this.#close(signal === null ? notStarted() : this.#lossOf(signal));
    this.#exited.resolve();
  }

  #lossOf(signal: string): WorkflowError {
    const { datastoreMemoryMb, datastoreMs } = this.#options.hello.limits;
    if (signal === "SIGXCPU") return overLimit("time in ms", "datastoreMs", datastoreMs);
    // How V8 and SQLite end without memory, and how the kernel ends others.
    if (signal === "SIGABRT" || signal === "SIGTRAP" || signal === "SIGKILL")
      return overLimit("memory in MiB", "datastoreMemoryMb", datastoreMemoryMb);
    return fail("INTERNAL", {}, new Error(`A query process ended by itself (${signal}).`));
  }
}

/** The error of an operation that nobody waits for any more. */
export const cancelled = (): WorkflowError =>
  fail("EXECUTION_CANCELLED", { message: "The datastore's answer was given up." });

/** A process that ends because it is old or idle has no task that could fail with this. */
const spent = (): WorkflowError => fail("INTERNAL");

function errorOf(record: ErrorRecord, cause: string): WorkflowError {
  return record.code === "INTERNAL" ? fail("INTERNAL", record.details, new Error(cause)) : fromRecord(record);
}
