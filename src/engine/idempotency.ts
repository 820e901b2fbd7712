import { type CtxData, fail } from "../../runtime/index.ts";
import { canonical } from "../cache/canonical.ts";
import type { Execution, NewExecution } from "../store/store.ts";
import type { Invocation, InvokeRequest } from "./engine.ts";
import { toInvocation, toStoredInvocation } from "./invocation.ts";
import type { Call } from "./live-run.ts";
import type { Parts } from "./parts.ts";

/** What of a stored call an idempotency key stands for. */
function bodyOf({ data, ref }: NewExecution): string {
  const { input, messages, params, metadata } = JSON.parse(data) as CtxData;
  const { stream: _stream, ...asked } = params;
  return canonical([ref, input, messages, asked, metadata]);
}

/** Throws CONFLICT when the execution of an idempotency key was asked for with another request. */
export function checkSameRequest(known: Execution, request: InvokeRequest, call: Call): void {
  const version = (JSON.parse(known.data) as CtxData).workflow_info.version;
  const sameVersion = request.version === null || version === call.plan.version.number;
  if (sameVersion && bodyOf(known) === bodyOf(call.execution)) return;
  const message = `Idempotency-Key ${JSON.stringify(request.idempotencyKey)}: it was used for another request.`;
  throw fail("CONFLICT", { message, execution_id: known.id });
}

/** One more caller's view of the execution that an idempotency key stands for. */
export async function joinKnown(known: Execution, call: Call, parts: Parts): Promise<Invocation> {
  const running = parts.live.get(known.id);
  if (running !== null) return toInvocation(running, parts, call.onDisconnect);
  const { accountId, versionId } = known;
  const version = await parts.store.findVersion({ accountId, versionId });
  const plan = version === null ? call.plan : parts.planOf(version);
  return toStoredInvocation(known, { workflow: call.workflow, plan }, parts);
}
