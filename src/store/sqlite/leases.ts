import type { AwaitedCall } from "../../../runtime/index.ts";
import type { Lease, Store } from "../store.ts";
import { claim } from "./claim.ts";
import type { Database } from "./database.ts";
import { endingColumns, usageColumns } from "./execution-columns.ts";
import { hasGates, leaveGates } from "./gates.ts";
import { holderOf } from "./holder.ts";
import { appendOutput } from "./output.ts";
import { addShortage } from "./top-ups.ts";
import type { Writer } from "./writer.ts";

type Leases = Pick<
  Store,
  "claim" | "nextDue" | "renew" | "releaseOthers" | "completeExecution" | "waitExecution" | "awaitedCalls"
>;

const NEXT_DUE =
  "SELECT min(due_at) AS due FROM executions INDEXED BY executions_timer WHERE ready = 0 AND due_at IS NOT NULL";
const RENEW = "UPDATE executions SET due_at = ?, ready = 0 WHERE id = ? AND fence = ? AND status = 1 AND worker = ?";
const RELEASE = `UPDATE executions SET ready = 1 WHERE number IN (SELECT number FROM executions INDEXED BY executions_timer
  WHERE ready = 0 AND due_at IS NOT NULL AND status = 1 AND worker <> ?)`;
const COMPLETE = `UPDATE executions SET status = ?, output = ?, error = ?, cached = ?, prompt_tokens = ?,
  completion_tokens = ?, cost_usd = ?, ops = ?, cpu_ms = ?, finished_at = ?, ready = 0, due_at = NULL, worker = NULL
  WHERE id = ? AND fence = ? AND status = 1`;
const COMPLETE_GATED = `${COMPLETE} RETURNING number, gated`;
// Asked to stop, or given an answer, while it parks: claimable at once, so that whoever claims it learns of it.
const WAIT = `UPDATE executions SET status = 2, until_at = ?, due_at = ?, sleeps = ?, awaited = ?, ready = ?, worker = NULL,
  resumed_at = coalesce(?, resumed_at), prompt_tokens = ?, completion_tokens = ?, cost_usd = ?, ops = ?, cpu_ms = ? WHERE number = ? RETURNING gated`;
const ANSWERED = "SELECT 1 AS found FROM waits INDEXED BY waits_answered WHERE execution = ? AND state = 1 LIMIT 1";
const AWAITED = "SELECT awaited FROM executions WHERE id = ? AND status = 2";
type CompleteParams = Parameters<Store["completeExecution"]>[0];
type WaitParams = Parameters<Store["waitExecution"]>[0];
type RenewParams = Parameters<Store["renew"]>[0];

function complete(db: Database, { lease, ending, usage, chunks, logs, now }: CompleteParams): boolean {
  if (chunks.length > 0 || logs.length > 0) {
    const holder = holderOf(db, lease);
    if (holder === null) return false;
    appendOutput(db, holder.number, { chunks, logs });
  }
  const { executionId, fence } = lease;
  const values = [...endingColumns(ending), ...usageColumns(usage), now, executionId, fence];
  if (!hasGates(db)) return db.run(COMPLETE, ...values) === 1;
  const row = db.get<{ number: number; gated: number }>(COMPLETE_GATED, ...values);
  if (row?.gated === 1) leaveGates(db, row.number, "ended");
  return row !== undefined;
}

function wait(db: Database, params: WaitParams): Awaited<ReturnType<Leases["waitExecution"]>> {
  const { until, sleeps, calls, shortage, usage } = params;
  const holder = holderOf(db, params.lease);
  if (holder === null) return "lost";
  const { number, cancel: asked } = holder;
  appendOutput(db, number, params);
  const shown = sleeps.length === 0 ? null : JSON.stringify(sleeps);
  const isFunded = shortage !== null && addShortage(db, number, shortage);
  const isReady = isFunded || asked === 1 || db.get(ANSWERED, number) !== undefined;
  const awaited = calls === null ? null : JSON.stringify(calls);
  const again = shortage === null ? null : (until ?? Date.now());
  const values = [until, until, shown, awaited, isReady ? 1 : 0, again, ...usageColumns(usage), number];
  const row = db.get<{ gated: number }>(WAIT, ...values);
  if (row?.gated === 1) leaveGates(db, number, "parked");
  return isReady ? "ready" : "parked";
}

function renewOne(db: Database, lease: Lease, { worker, leaseMs, now }: RenewParams): "ok" | "cancel" | "lost" {
  if (db.run(RENEW, now + leaseMs, lease.executionId, lease.fence, worker) === 0) return "lost";
  return holderOf(db, lease)?.cancel === 1 ? "cancel" : "ok";
}

/** The queue: who may run what, until when, and how it ends. */
export function createLeases(db: Database, writer: Writer): Leases {
  return {
    claim: (params) => writer.write(() => claim(db, params)),
    async nextDue() {
      return db.get<{ due: number | null }>(NEXT_DUE)?.due ?? null;
    },
    renew: (params) => writer.write(() => params.leases.map((lease) => renewOne(db, lease, params))),
    releaseOthers: ({ worker }) => writer.write(() => db.run(RELEASE, worker)),
    completeExecution: (params) => writer.writeUnguarded(() => complete(db, params)),
    async awaitedCalls({ executionId }) {
      const text = db.get<{ awaited: string | null }>(AWAITED, executionId)?.awaited ?? null;
      return text === null ? null : (JSON.parse(text) as readonly AwaitedCall[]);
    },
    waitExecution: (params) => writer.write(() => wait(db, params)),
  };
}
