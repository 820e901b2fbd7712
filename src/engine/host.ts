import {
  type ErrorRecord,
  type ExecutionHost,
  fail,
  type JournalRecord,
  type NestedCall,
  type NestedResult,
  toRecord,
  toWorkflowError,
} from "../../runtime/index.ts";
import { loadAgent } from "./agents/load-agent.ts";
import { beginWait } from "./begin-wait.ts";
import type { LiveRun } from "./live-run.ts";
import { LiveWaits } from "./live-waits.ts";
import type { Parts } from "./parts.ts";
import { stopRun } from "./stopping.ts";

/** Runs a workflow that a running one calls. */
export type InvokeNested = (parent: LiveRun, call: NestedCall) => Promise<NestedResult>;

/** The error of a budget that is used up, or null while there is some left. */
function overBudget(run: LiveRun): ErrorRecord | null {
  const { usd, tokens } = run.call.plan.config.budget;
  if (usd !== null && run.spentUsd > usd) {
    const message = `budget: the calls of this execution cost ${run.spentUsd} USD, over ${usd} (config.budget.usd)`;
    return toRecord(fail("BUDGET_EXCEEDED", { message, limit: "budget.usd", value: run.spentUsd }));
  }
  const spent = run.spentPromptTokens + run.spentCompletionTokens;
  if (tokens !== null && spent > tokens) {
    const message = `budget: the calls of this execution took ${spent} tokens, over ${tokens} (config.budget.tokens)`;
    return toRecord(fail("BUDGET_EXCEEDED", { message, limit: "budget.tokens", value: spent }));
  }
  return null;
}

/** Adds what finished ops cost to what the execution has spent; its error once that is over the budget. */
export function charge(run: LiveRun, records: readonly JournalRecord[]): ErrorRecord | null {
  for (const { meter } of records) {
    if (meter === null) continue;
    run.spentOps++;
    run.spentUsd += meter.costUsd;
    run.spentPromptTokens += meter.promptTokens;
    run.spentCompletionTokens += meter.completionTokens;
  }
  return overBudget(run);
}

async function readAccessory(run: LiveRun, key: string, parts: Parts): Promise<Uint8Array> {
  const { version, accessories } = run.call.plan;
  const entry = Object.hasOwn(version.accessories, key) ? version.accessories[key] : undefined;
  if (entry === undefined) {
    const known = accessories.length === 0 ? "it has none" : `it has ${accessories.join(", ")}`;
    throw fail("INVALID_ARGUMENT", { message: `accessory: this version has no ${JSON.stringify(key)}; ${known}` });
  }
  const bytes = await parts.store.readBlob({ hash: entry.hash });
  if (bytes === null) throw fail("INTERNAL", {}, new Error(`the content ${entry.hash} of an accessory is missing`));
  return bytes;
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

/** What the main thread does for one attempt at a run; once a later attempt has begun, everything of it is refused. */
export function createHost(run: LiveRun, parts: Parts, invokeNested: InvokeNested): ExecutionHost {
  const { attempt, row, log } = run;
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
      const error = charge(run, records);
      if (error !== null) stopRun(run, error, parts);
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
    files(request) {
      if (!isCurrent()) return Promise.reject(fail("CONFLICT", { message: "This attempt is over." }));
      const { accountId } = run.call.execution;
      return parts.files.ask({ accountId, executionId: run.id, lease: () => row.start() }, request);
    },
    accessory: (key) => readAccessory(run, key, parts),
    agent: (key) => loadAgent({ accountId: run.call.execution.accountId, key }, parts.store),
    wait(request) {
      if (!isCurrent()) return Promise.reject(fail("CONFLICT", { message: "This attempt is over." }));
      return beginWait(run, request, parts);
    },
    waited: (pos) => (run.waits ?? new LiveWaits()).answerOf(pos),
  };
}
