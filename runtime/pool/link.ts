import type { MessagePort } from "node:worker_threads";
import type { ErrorRecord } from "../errors.ts";
import type {
  Chunk,
  ExecutionJob,
  HostProfile,
  JournalRecord,
  LogLine,
  NestedCall,
  WaitRequest,
} from "../execution.ts";
import type { AccessoryRequest, FileRequest } from "../file-request.ts";
import type { Cost, Funds, SpendRequest } from "../spending.ts";
import type { RunOutcome } from "../worker/run-options.ts";

/** Facts of one host process, for /readyz. */
export interface HostFacts {
  readonly pid: number;
  readonly profile: HostProfile;
  /** True once it takes runs. */
  readonly ready: boolean;
  readonly running: number;
  readonly residentBytes: number;
}

/** Worker to main thread. `id` asks for an answer with the same id. */
export type UpMessage =
  | {
      readonly type: "commit";
      readonly id: number;
      readonly executionId: string;
      readonly records: readonly JournalRecord[];
      readonly durable: boolean;
    }
  | { readonly type: "chunks"; readonly executionId: string; readonly chunks: readonly Chunk[] }
  | { readonly type: "logs"; readonly executionId: string; readonly lines: readonly LogLine[] }
  | { readonly type: "impure"; readonly executionId: string }
  | { readonly type: "invoke"; readonly id: number; readonly executionId: string; readonly call: NestedCall }
  | {
      readonly type: "accessory";
      readonly id: number;
      readonly executionId: string;
      readonly request: AccessoryRequest;
    }
  | { readonly type: "files"; readonly id: number; readonly executionId: string; readonly request: FileRequest }
  | { readonly type: "agent"; readonly id: number; readonly executionId: string; readonly key: string }
  | { readonly type: "wait"; readonly id: number; readonly executionId: string; readonly request: WaitRequest }
  | { readonly type: "waited"; readonly id: number; readonly executionId: string; readonly pos: number }
  | { readonly type: "reserve"; readonly id: number; readonly executionId: string; readonly request: SpendRequest }
  | { readonly type: "settle"; readonly executionId: string; readonly ticket: number; readonly cost: Cost }
  | { readonly type: "funded"; readonly id: number; readonly executionId: string; readonly funds: Funds }
  | { readonly type: "bundle"; readonly id: number; readonly hash: string }
  | { readonly type: "facts"; readonly hosts: readonly HostFacts[]; readonly replaced: number }
  | {
      readonly type: "outcome";
      readonly executionId: string;
      readonly outcome: RunOutcome;
      /** True when calls of a lost run go on in the worker: the next attempt should come to it, soon. */
      readonly keepsCalls: boolean;
    }
  | { readonly type: "closed" };

/** Main thread to worker. */
export type DownMessage =
  | RunMessage
  | { readonly type: "answer"; readonly id: number; readonly value: unknown }
  | { readonly type: "refusal"; readonly id: number; readonly error: ErrorRecord }
  | { readonly type: "cancel"; readonly executionId: string; readonly error: ErrorRecord }
  | { readonly type: "close" };

/** A run to begin. Cloning an object of that many members costs twice what its JSON does; only what may be large stays beside it. */
export interface RunMessage {
  readonly type: "run";
  readonly mode: "execute" | "describe";
  /** JSON text of the job without `data` and `replay`. */
  readonly job: string;
  readonly data: string;
  /** JSON text. */
  readonly replay: string;
}

/** The message that begins a run of `job`. */
export function toRunMessage({ data, replay, ...job }: ExecutionJob, mode: RunMessage["mode"]): RunMessage {
  return { type: "run", mode, job: JSON.stringify(job), data, replay: JSON.stringify(replay) };
}

/** The job of a message. */
export function jobOf({ job, data, replay }: RunMessage): ExecutionJob {
  const rest = JSON.parse(job) as Omit<ExecutionJob, "data" | "replay">;
  return { ...rest, data, replay: JSON.parse(replay) as ExecutionJob["replay"] };
}

/** One end of the channel: everything sent in one event-loop turn travels as one message. */
export interface Link<Out> {
  send(message: Out): void;
  close(): void;
}

/** Opens a link over `port`. `unsent` gets what cannot be cloned, in its place among the others of its turn, which travel all the same. */
export function openLink<Out, In>(
  port: MessagePort,
  onMessage: (message: In) => void,
  unsent: (message: Out, error: unknown) => void,
): Link<Out> {
  let batch: Out[] = [];
  port.on("message", (messages: readonly In[]) => {
    for (const message of messages) onMessage(message);
  });
  const sendOne = (message: Out) => {
    try {
      port.postMessage([message]);
    } catch (error) {
      unsent(message, error);
    }
  };
  const flush = () => {
    const messages = batch;
    batch = [];
    try {
      port.postMessage(messages);
    } catch {
      for (const message of messages) sendOne(message);
    }
  };
  return {
    send(message) {
      if (batch.length === 0) setImmediate(flush);
      batch.push(message);
    },
    close: () => port.close(),
  };
}
