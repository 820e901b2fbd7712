import type { Upload } from "../../runtime/index.ts";
import type { RecordingLine } from "../recording/format.ts";
import type { Verdict } from "../recording/replay-recording.ts";
import type { Execution } from "./types.ts";

/** Ended executions that one check may ask for. */
export const MAX_CHECKED = 1_000;

/** What came of one recorded execution under other code. */
export interface CheckResult {
  readonly execution: Execution;
  readonly verdict: Verdict;
}

/** Executions played again: taken along as a file, tried under new code, continued on another path. */
export interface Replays {
  /** The lines of a recording: bundle, journal, chunks and logs. Of a run that the result cache answered: those of the run whose result it is; CONFLICT when that one is gone. EXECUTION_NOT_FOUND. `accessories`: false leaves their contents out. */
  recording(params: {
    readonly accountId: string;
    readonly executionId: string;
    readonly accessories: boolean;
  }): AsyncIterable<RecordingLine>;
  /** Replays the newest `last` ended executions of a workflow and all waiting ones under other code, without network or cost; BUNDLE_FAILED. */
  check(params: {
    readonly accountId: string;
    readonly key: string;
    readonly upload: Upload;
    readonly last: number;
  }): AsyncIterable<CheckResult>;
}
