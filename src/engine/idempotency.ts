import { type CtxData, fail, type WorkflowError } from "../../runtime/index.ts";
import { canonical } from "../cache/canonical.ts";
import type { Execution, NewExecution } from "../store/store.ts";
import type { Invocation, InvokeRequest } from "./engine.ts";
import { toInvocation, toStoredInvocation } from "./invocation.ts";
import type { Call, LiveRun } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** What of a stored call an idempotency key stands for. */
function bodyOf({ data, ref }: NewExecution): string {
  const { input, messages, params, metadata } = JSON.parse(data) as CtxData;
  const { stream: _stream, ...asked } = params;
  return canonical([ref, input, messages, asked, metadata]);
}

/** The error for a key that stands for the execution `executionId` of another request. */
export function keyConflict(idempotencyKey: string | null, executionId: string): WorkflowError {
  const message = `Idempotency-Key ${JSON.stringify(idempotencyKey)}: it was used for another request.`;
  return fail("CONFLICT", { message, execution_id: executionId });
}

/** Throws CONFLICT when the execution of an idempotency key was asked for with another request. */
async function checkSameRequest(known: NewExecution, request: InvokeRequest, call: Call, parts: Parts): Promise<void> {
  const version = (JSON.parse(known.data) as CtxData).workflow_info.version;
  const sameVersion = request.version === null || version === call.plan.version.number;
  const isSame = sameVersion && bodyOf(known) === bodyOf(call.execution);
  // A fork may say the same as a call; it is another request all the same.
  if (isSame && (await parts.store.findFork({ executionId: known.id })) === null) return;
  throw keyConflict(request.idempotencyKey, known.id);
}

interface Key {
  readonly accountId: string;
  readonly idempotencyKey: string;
}

/** Age of the oldest execution that a key may still stand for, as ms since the epoch. */
const oldest = ({ settings }: Parts): number => Date.now() - settings.idempotencyTtlMs;

/** The execution in memory that a key stands for, or null. */
function runningKeyed({ accountId, idempotencyKey }: Key, { live }: Parts, since: number): LiveRun | null {
  const running = live.keyed(accountId, idempotencyKey);
  // One that has not begun is not in the store: its key cannot be given away.
  return running !== null && (running.phase === "new" || running.call.execution.createdAt >= since) ? running : null;
}

/** The execution that an idempotency key stands for; null when the key is new or too old. */
export async function findKeyed(key: Key, parts: Parts): Promise<NewExecution | null> {
  const since = oldest(parts);
  return runningKeyed(key, parts, since)?.call.execution ?? parts.store.findKeyed({ ...key, since });
}

/** One more caller's view of a running execution; a caller in the background gets it once the execution is durable, and does not keep it in memory. */
export async function joinLive(run: LiveRun, call: Call, parts: Parts): Promise<Invocation> {
  const { mode } = call.execution;
  if (mode !== "background") return toInvocation(run, parts, call);
  // One that never leaves: it goes on when those who wait for its answer do.
  if (run.call.execution.mode !== "background") run.callers++;
  await run.begun;
  if (run.phase === "running") await run.row.stored().catch(() => undefined);
  const { execution, workflow, plan } = run.call;
  return toStoredInvocation(
    { ...execution, state: { status: "queued" } },
    { workflow, plan, mode, onDisconnect: call.onDisconnect },
    parts,
  );
}

/** One more caller's view of the stored execution that an idempotency key stands for; CONFLICT when it was asked for with another request. */
export async function joinKnown(
  known: Execution,
  request: InvokeRequest,
  call: Call,
  parts: Parts,
): Promise<Invocation> {
  await checkSameRequest(known, request, call, parts);
  const running = parts.live.get(known.id);
  if (running !== null) return joinLive(running, call, parts);
  const { accountId, versionId } = known;
  const version = await parts.store.findVersion({ accountId, versionId });
  const plan = version === null ? call.plan : parts.planOf(version);
  const { workflow, onDisconnect, execution } = call;
  return toStoredInvocation(known, { workflow, plan, mode: execution.mode, onDisconnect }, parts);
}

/** One more caller's view of the execution that an idempotency key stands for, or null when the key is new or too old; CONFLICT when it was asked for with another request. */
export async function joinKeyed(
  request: InvokeRequest,
  idempotencyKey: string,
  call: Call,
  parts: Parts,
): Promise<Invocation | null> {
  const key = { accountId: request.accountId, idempotencyKey };
  const since = oldest(parts);
  const running = runningKeyed(key, parts, since);
  if (running !== null) {
    await checkSameRequest(running.call.execution, request, call, parts);
    return joinLive(running, call, parts);
  }
  const known = await parts.store.findKeyed({ ...key, since });
  return known === null ? null : joinKnown(known, request, call, parts);
}
