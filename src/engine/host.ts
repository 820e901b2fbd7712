import {
  type AccessoryPart,
  type AccessoryRequest,
  type ExecutionHost,
  fail,
  type JournalRecord,
  type NestedCall,
  type NestedParked,
  type NestedResult,
  type ReplayRecord,
  toWorkflowError,
} from "../../runtime/index.ts";
import { loadAgent } from "./agents/load-agent.ts";
import { beginWait } from "./begin-wait.ts";
import type { LiveRun } from "./live-run.ts";
import { LiveWaits } from "./live-waits.ts";
import type { Parts } from "./parts.ts";

/** Runs a workflow that a running one calls. */
export type InvokeNested = (parent: LiveRun, call: NestedCall) => Promise<NestedResult | NestedParked>;

/** Adds what finished ops cost to what the execution has used. */
export function charge(run: LiveRun, records: readonly Pick<ReplayRecord, "meter">[]): void {
  for (const { meter } of records) {
    if (meter === null) continue;
    run.spentOps++;
    run.spentUsd += meter.costUsd;
    run.spentPromptTokens += meter.promptTokens;
    run.spentCompletionTokens += meter.completionTokens;
  }
}

async function readAccessory(
  run: LiveRun,
  { key, offset, length }: AccessoryRequest,
  parts: Parts,
): Promise<AccessoryPart> {
  const { version, accessories } = run.call.plan;
  const entry = Object.hasOwn(version.accessories, key) ? version.accessories[key] : undefined;
  if (entry === undefined) {
    const known = accessories.length === 0 ? "it has none" : `it has ${accessories.join(", ")}`;
    throw fail("INVALID_ARGUMENT", { message: `accessory: this version has no ${JSON.stringify(key)}; ${known}` });
  }
  const bytes = await parts.accessories.read(entry, offset, length);
  if (bytes === null) throw fail("INTERNAL", {}, new Error(`the content ${entry.hash} of an accessory is missing`));
  return { bytes, total: entry.bytes };
}

/** A run that touches something outside is not shared unless someone asked for it: whoever waits for it runs itself now. */
function sendFollowersOff(run: LiveRun): void {
  const { policy, plan } = run.call;
  plan.isPure = false;
  if (policy.keep !== "always") run.share(null);
}

/** Ends the waits whose outcome was just appended to the journal, in the same transaction. */
function closeWaits(run: LiveRun, records: readonly JournalRecord[], { store, report }: Parts): void {
  const waits = run.waits?.take(records.filter(({ kind }) => kind !== "part").map(({ pos }) => pos)) ?? [];
  const { lease } = run.row;
  if (waits.length > 0 && lease !== null) store.closeWaits({ lease, waits, now: Date.now() }).catch(report);
}

/** The main thread's side of one attempt at a run. */
export interface AttemptHost extends ExecutionHost {
  /** The attempt is over: gives back what lasts as long as it. */
  leave(): void;
}

/** What the main thread does for one attempt at a run; once a later attempt has begun, everything of it is refused. */
export function createHost(run: LiveRun, parts: Parts, invokeNested: InvokeNested): AttemptHost {
  const { attempt, row, log } = run;
  let isOver = false;
  const isCurrent = () => run.attempt === attempt && run.phase === "running" && !run.detached;

  const refused = (thrown: unknown) => {
    const error = toWorkflowError(thrown);
    if (error.code === "CONFLICT") run.leaseLost = true;
    else if (error.code !== "STOPPING") parts.report(error);
    throw error;
  };

  return {
    commit(records, durable) {
      if (!isCurrent()) return Promise.reject(fail("CONFLICT", { message: "This attempt is over." }));
      const stored = row.append(records, durable).catch(refused);
      if (run.waits !== null) closeWaits(run, records, parts);
      charge(run, records);
      if (durable) return stored;
      stored.catch(() => undefined);
      return Promise.resolve();
    },
    chunks(chunks) {
      if (!isCurrent()) return;
      const fresh = log.add(chunks);
      if (fresh.length > 0) row.addOutput(fresh, []);
      parts.bells.ring(run.id);
      log.trim(row.storedChunks(log.next));
    },
    logs(lines) {
      if (isCurrent()) row.addOutput([], lines);
    },
    impure() {
      if (isCurrent()) sendFollowersOff(run);
    },
    invoke(call) {
      if (!isCurrent()) return Promise.reject(fail("CONFLICT", { message: "This attempt is over." }));
      return invokeNested(run, call);
    },
    leave() {
      isOver = true;
      parts.ledger.leave(run);
      parts.files.leave(run.id).catch(parts.report);
    },
    files(request) {
      if (isOver || !isCurrent()) return Promise.reject(fail("CONFLICT", { message: "This attempt is over." }));
      const { accountId } = run.call.execution;
      return parts.files.ask({ accountId, executionId: run.id, lease: () => row.start() }, request);
    },
    accessory: (request) => readAccessory(run, request, parts),
    agent: (key) => loadAgent({ accountId: run.call.execution.accountId, key }, parts.store),
    wait(request) {
      if (!isCurrent()) return Promise.reject(fail("CONFLICT", { message: "This attempt is over." }));
      return beginWait(run, request, parts);
    },
    async reserve(request) {
      if (!isCurrent()) throw fail("CONFLICT", { message: "This attempt is over." });
      return parts.ledger.reserve(run, isCurrent, request);
    },
    async funded(funds) {
      if (!isCurrent()) throw fail("CONFLICT", { message: "This attempt is over." });
      return parts.ledger.funded(run, funds);
    },
    waited: (pos) => (run.waits ?? new LiveWaits()).answerOf(pos),
  };
}
