import type { StartFacts } from "../../sandbox/wire.ts";
import { fail, toRecord } from "../errors.ts";
import type {
  Chunk,
  ExecutionJob,
  ExecutionOutcome,
  JournalRecord,
  LogLine,
  NestedCall,
  NestedParked,
  NestedResult,
  WaitRequest,
} from "../execution.ts";
import type { AccessoryPart, AccessoryRequest, FileAnswers, FileRequest } from "../file-request.ts";
import type { Handler } from "../interceptors/interceptor.ts";
import type { Cost, Funds, Reservation, SpendRequest } from "../spending.ts";
import type { HostProcess } from "./host-process.ts";
import type { Shelf } from "./shelf.ts";

/** What the main thread does for this execution, seen from the worker. */
export interface RunLink {
  commit(records: readonly JournalRecord[], durable: boolean): Promise<void>;
  chunks(chunks: readonly Chunk[]): void;
  logs(lines: readonly LogLine[]): void;
  impure(): void;
  invoke(call: NestedCall): Promise<NestedResult | NestedParked>;
  accessory(request: AccessoryRequest): Promise<AccessoryPart>;
  files(request: FileRequest): Promise<FileAnswers[keyof FileAnswers]>;
  agent(key: string): Promise<string>;
  wait(request: WaitRequest): Promise<string | null>;
  waited(pos: number): Promise<string>;
  reserve(request: SpendRequest): Promise<Reservation>;
  settle(ticket: number, cost: Cost): void;
  funded(funds: Funds): Promise<void>;
}

/** Where a run's guest lives. */
export type RunHost = Pick<HostProcess, "run">;

/** Everything one execution needs in its worker. */
export interface RunOptions {
  readonly job: ExecutionJob;
  readonly mode: StartFacts["mode"];
  readonly host: RunHost;
  readonly link: RunLink;
  readonly dispatch: Handler;
  /** Calls under way of an earlier attempt; when this one is lost, its own are left there. */
  readonly shelf: Shelf;
}

/** What an attempt comes to that cannot go on, while another one may. */
export const LOST = { status: "lost", suspect: false, cause: toRecord(fail("CONFLICT")) } as const;

/** An outcome, and whether the script broke on frozen intrinsics. */
export interface RunOutcome {
  readonly outcome: ExecutionOutcome;
  readonly frozenComplaint: boolean;
}
