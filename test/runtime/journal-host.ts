import { fail } from "../../runtime/errors.ts";
import type {
  Chunk,
  ExecutionHost,
  JournalRecord,
  LogLine,
  NestedCall,
  NestedResult,
} from "../../runtime/execution.ts";

/** An execution's main-thread side that keeps everything in memory. */
export interface JournalHost extends ExecutionHost {
  readonly records: readonly JournalRecord[];
  readonly chunks: (chunks: readonly Chunk[]) => void;
  readonly emitted: readonly Chunk[];
  readonly lines: readonly LogLine[];
  readonly nested: readonly NestedCall[];
}

/** What a test may decide. */
export interface JournalHostOptions {
  /** Records that are there already. */
  readonly replay?: readonly JournalRecord[];
  /** Answers a nested call; default: INVALID_ARGUMENT. */
  readonly invoke?: (call: NestedCall) => Promise<NestedResult>;
  /** Answers a wait; default: INVALID_ARGUMENT. */
  readonly wait?: ExecutionHost["wait"];
  readonly waited?: ExecutionHost["waited"];
  /** Answer for budgets; default: CONFLICT, as for an attempt that is over. */
  readonly reserve?: ExecutionHost["reserve"];
  readonly funded?: ExecutionHost["funded"];
  /** Called before records are taken; may throw. */
  readonly onCommit?: (records: readonly JournalRecord[]) => void;
}

/** Makes one; it refuses a record whose seq is not the next, as every store must. */
export function createJournalHost(options: JournalHostOptions = {}): JournalHost {
  const records: JournalRecord[] = [...(options.replay ?? [])];
  const emitted: Chunk[] = [];
  const lines: LogLine[] = [];
  const nested: NestedCall[] = [];
  return {
    records,
    emitted,
    lines,
    nested,
    async commit(added) {
      options.onCommit?.(added);
      for (const record of added) {
        if (record.seq !== records.length) throw fail("CONFLICT", { message: `seq ${record.seq} is not the next` });
        records.push(record);
      }
    },
    chunks: (chunks) => void emitted.push(...chunks),
    logs: (added) => void lines.push(...added),
    impure: () => undefined,
    invoke(call) {
      nested.push(call);
      return (
        options.invoke?.(call) ?? Promise.reject(fail("INVALID_ARGUMENT", { message: "no nested workflows here" }))
      );
    },
    wait: (request) =>
      options.wait?.(request) ?? Promise.reject(fail("INVALID_ARGUMENT", { message: "no waits here" })),
    reserve: (request) => options.reserve?.(request) ?? Promise.reject(fail("CONFLICT")),
    funded: (funds) => options.funded?.(funds) ?? Promise.reject(fail("CONFLICT")),
    waited: (pos) => options.waited?.(pos) ?? Promise.reject(fail("CONFLICT")),
    files: () => Promise.reject(fail("INVALID_ARGUMENT", { message: "no files" })),
    agent: (key) => Promise.reject(fail("INVALID_ARGUMENT", { message: `no agent ${key}` })),
    accessory: (key) => Promise.reject(fail("INVALID_ARGUMENT", { message: `no accessory ${key}` })),
  };
}
