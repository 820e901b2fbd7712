import { randomUUID } from "node:crypto";
import {
  type Bundle,
  type Chunk,
  type CtxData,
  type ErrorCode,
  type ErrorRecord,
  type ExecutionHost,
  type ExecutionJob,
  type ExecutionOutcome,
  fail,
  handleText,
  type Isolation,
  type LogLine,
  mapStack,
  type Runtime,
  redactSecrets,
  toRecord,
} from "../../runtime/index.ts";
import type { RecordedEnd, Recording } from "./format.ts";

/** A ctx call as a verdict shows it; `args` is JSON text where it is known. */
export interface ComparedCall {
  readonly op: string;
  readonly hash: string;
  readonly args: string | null;
}

/** What came of running a recording again. */
export type Verdict =
  /** The same calls, chunks and end; for one that has not ended: the same up to where it is. */
  | { readonly verdict: "identical" }
  /** The same calls, another output, chunk or error. */
  | {
      readonly verdict: "differs";
      readonly part: "output" | "chunks" | "error" | "end";
      readonly recorded: unknown;
      readonly replayed: unknown;
    }
  /** The script makes another ctx call at `position` (`recorded` null: nothing is recorded there), or does not make it (`replayed` null). */
  | {
      readonly verdict: "diverges";
      readonly position: number;
      readonly message: string;
      readonly recorded: ComparedCall | null;
      readonly replayed: ComparedCall | null;
    }
  /** The script fails where the recorded run did not. */
  | { readonly verdict: "crashes"; readonly error: ErrorRecord };

/** A run of a recording without network: what it did, and how that compares. */
export interface ReplayReport {
  readonly verdict: Verdict;
  readonly outcome: ExecutionOutcome;
  readonly chunks: readonly Chunk[];
  readonly logs: readonly LogLine[];
}

/** Ends that come from outside the script: reaching the end of the recording is then all that can be asked. */
const NOT_THE_SCRIPTS = new Set<ErrorCode>([
  "EXECUTION_TIMEOUT",
  "EXECUTION_CANCELLED",
  "BUDGET_EXCEEDED",
  "MEMORY_LIMIT_EXCEEDED",
  "CPU_LIMIT_EXCEEDED",
  "SECRETS_LOST",
  "REPLAY_DIVERGED",
  "INTERNAL",
]);

/** Stands in for a secret, so that it is hidden and compared as in the recorded run. */
const standIn = (index: number) => `standin${index}forasecret`;

const awaitedOf = (end: RecordedEnd): Pick<ExecutionJob, "awaited"> =>
  end.status === "waiting" && end.calls !== undefined ? { awaited: end.calls } : {};

function toReplayJob(
  { head, records }: Recording,
  { bundle, accountId, isolation, ...more }: ReplayWith,
): ExecutionJob {
  const { execution, job } = head;
  const known = more.secrets ?? {};
  const hidden = Object.fromEntries(execution.secretNames.map((name, i) => [name, known[name] ?? standIn(i)]));
  const { secret_handles: handles = [] } = JSON.parse(job.data) as CtxData;
  const texts = Object.fromEntries(handles.map((name) => [name, handleText(job.seed, name)]));
  return {
    ...job,
    isolation: isolation ?? job.isolation,
    // Not the recorded one: that execution may go on meanwhile, or be replayed twice at once.
    executionId: randomUUID(),
    accountId: accountId ?? "replay",
    versionId: bundle.hash,
    bundleHash: bundle.hash,
    alone: false,
    startedAt: execution.startedAt,
    timeoutMs: null,
    // The script sees texts of handles; what is hidden is the value.
    secrets: { ...hidden, ...texts },
    hidden,
    replay: records,
    offline: true,
    ...awaitedOf(execution.end),
    tellsImpure: false,
  };
}

interface Seen {
  readonly chunks: Chunk[];
  readonly logs: LogLine[];
}

function offlineHost(readAccessory: NonNullable<ReplayWith["accessory"]>, seen: Seen): ExecutionHost {
  const refused = () => Promise.reject(fail("CAPABILITY_DENIED", { message: "A replay calls nothing outside." }));
  return {
    commit: () => Promise.resolve(),
    chunks: (chunks) => void seen.chunks.push(...chunks),
    logs: (lines) => void seen.logs.push(...lines),
    impure: () => undefined,
    invoke: refused,
    agent: refused,
    wait: refused,
    waited: refused,
    // Contents of files are in the recorded deliveries; only pieces may be brought again.
    files: (request) => (request.kind === "piece" ? Promise.resolve(request.pos) : refused()),
    reserve: refused,
    funded: refused,
    async accessory({ key, offset, length }) {
      const all = await readAccessory(key);
      if (all !== null) return { bytes: all.subarray(offset, offset + length), total: all.byteLength };
      throw fail("INVALID_ARGUMENT", { message: `accessory: the recording has no ${JSON.stringify(key)}` });
    },
  };
}

const hasEnded = ({ head }: Recording) => "output" in head.execution.end || "error" in head.execution.end;

function diverged(error: ErrorRecord, recording: Recording): Verdict {
  const { position, recorded, replayed } = error.details as {
    readonly position: number;
    readonly recorded?: ComparedCall;
    readonly replayed: ComparedCall | null;
  };
  const { end } = recording.head.execution;
  // The recording ends here: whoever was stopped, or waits for nobody knows what, had this very call under way.
  const endsHere = recorded === undefined && !isScriptsEnd(recording) && !("calls" in end);
  if (endsHere) return { verdict: "identical" };
  return { verdict: "diverges", position, message: error.message, recorded: recorded ?? null, replayed };
}

function isScriptsEnd(recording: Recording): boolean {
  const { end } = recording.head.execution;
  if (!hasEnded(recording)) return false;
  return !("error" in end) || !NOT_THE_SCRIPTS.has(end.error.code);
}

function compareChunks(recorded: readonly Chunk[], replayed: readonly Chunk[]): Verdict {
  const texts = (chunks: readonly Chunk[]) => chunks.map(({ type, content }) => ({ type, content }));
  const [before, after] = [texts(recorded), texts(replayed)];
  if (JSON.stringify(before) === JSON.stringify(after)) return { verdict: "identical" };
  return { verdict: "differs", part: "chunks", recorded: before, replayed: after };
}

function compareErrors(recorded: ErrorRecord, replayed: ErrorRecord): Verdict {
  const told = ({ code, message }: ErrorRecord) => ({ code, message });
  const [before, after] = [told(recorded), told(replayed)];
  if (before.code === after.code && before.message === after.message) return { verdict: "identical" };
  return { verdict: "differs", part: "error", recorded: before, replayed: after };
}

function compareFailure(error: ErrorRecord, recording: Recording): Verdict {
  const { end } = recording.head.execution;
  if (error.code === "REPLAY_DIVERGED" && "replayed" in error.details) return diverged(error, recording);
  if (!("error" in end)) return { verdict: "crashes", error };
  return isScriptsEnd(recording) ? compareErrors(end.error, error) : { verdict: "identical" };
}

function compareOutput(output: string, recording: Recording, chunks: readonly Chunk[]): Verdict {
  const { end } = recording.head.execution;
  if (!isScriptsEnd(recording))
    return { verdict: "differs", part: "end", recorded: end, replayed: { status: "completed" } };
  if (!("output" in end))
    return { verdict: "differs", part: "error", recorded: "error" in end ? end.error : null, replayed: null };
  if (end.output === output) return compareChunks(recording.chunks, chunks);
  return { verdict: "differs", part: "output", recorded: JSON.parse(end.output), replayed: JSON.parse(output) };
}

function compare(outcome: ExecutionOutcome, recording: Recording, chunks: readonly Chunk[]): Verdict {
  switch (outcome.status) {
    case "completed":
      return compareOutput(outcome.output ?? JSON.stringify(textOf(chunks)), recording, chunks);
    case "failed":
      return compareFailure(outcome.error, recording);
    case "waiting":
      return { verdict: "identical" };
    case "lost":
      return { verdict: "crashes", error: outcome.cause };
  }
}

function textOf(chunks: readonly Chunk[]): string {
  return chunks.map(({ text, content }) => (text ? String(JSON.parse(content)) : "")).join("");
}

function locate(outcome: ExecutionOutcome, bundle: Bundle): ExecutionOutcome {
  if (outcome.status !== "failed" || typeof outcome.error.details["stack"] !== "string") return outcome;
  const { stack, frame } = mapStack(bundle.sourceMap, outcome.error.details["stack"], `weft:${bundle.hash}`);
  const details = { ...outcome.error.details, stack, ...(frame === null ? {} : { frame }) };
  return { ...outcome, error: { ...outcome.error, details } };
}

/** What a replay may use instead of what is recorded. */
export interface ReplayWith {
  readonly bundle: Bundle;
  /** Values of secrets, for those that a script looks at; the others get stand-ins. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Whose isolate it runs in; on a server, where others have theirs beside it. */
  readonly accountId?: string;
  /** Contents of accessories, null for one that is unknown; default: those in the recording. */
  readonly accessory?: (key: string) => Promise<Uint8Array | null>;
  /** What another bundle needs; default: the recorded one. */
  readonly isolation?: Isolation;
}

/** Attempts of a replay whose host was lost, most likely to somebody else's script. */
const MAX_ATTEMPTS = 3;

interface Attempt extends Seen {
  readonly outcome: ExecutionOutcome;
}

async function attempt(
  runtime: Pick<Runtime, "run">,
  job: ExecutionJob,
  { bundle, accessory }: Required<Pick<ReplayWith, "bundle" | "accessory">>,
): Promise<Attempt> {
  const seen: Seen = { chunks: [], logs: [] };
  const outcome = await runtime.run(job, offlineHost(accessory, seen), bundle).catch(
    (error: unknown): ExecutionOutcome => ({
      status: "lost",
      suspect: true,
      cause: toRecord(fail("INTERNAL", {}, error)),
    }),
  );
  return { outcome, ...seen };
}

/** What a script returns is shown as it is stored: without secrets. */
function withoutSecrets(outcome: ExecutionOutcome, { secrets, hidden = secrets }: ExecutionJob): ExecutionOutcome {
  if (outcome.status !== "completed" || outcome.output === null) return outcome;
  return { ...outcome, output: redactSecrets(outcome.output, hidden) };
}

/**
 * Runs a recording again with its journal and nothing else: no network, no waiting, no cost. With another bundle the
 * calls of that code are compared. Never rejects for anything the script did.
 */
export async function replayRecording(
  runtime: Pick<Runtime, "run">,
  recording: Recording,
  using: ReplayWith = recording,
): Promise<ReplayReport> {
  const recorded = async (key: string) => recording.accessories.get(key) ?? null;
  const { bundle, accessory = recorded } = using;
  const job = toReplayJob(recording, using);
  let last = await attempt(runtime, job, { bundle, accessory });
  for (let n = 1; last.outcome.status === "lost" && n < MAX_ATTEMPTS; n++) {
    const again = { ...job, executionId: randomUUID(), alone: job.alone || last.outcome.suspect };
    last = await attempt(runtime, again, { bundle, accessory });
  }
  const { chunks, logs } = last;
  const outcome = locate(withoutSecrets(last.outcome, job), bundle);
  return { verdict: compare(outcome, recording, chunks), outcome, chunks, logs };
}
