import { showShortage } from "../../../engine/budgets/shortage-error.ts";
import type { Execution } from "../../../engine/types.ts";
import type { DialectDeps } from "../dialect.ts";

const seconds = (ms: number | null) => (ms === null ? null : ms / 1_000);

/** What a run waits for, as its run object shows it: events, decisions and, while it is parked, sleeps. Times are seconds since the epoch. */
export async function toWaitingFor({ waiting }: DialectDeps, { id, accountId, state }: Execution): Promise<object[]> {
  if (state.status !== "waiting" && state.status !== "running") return [];
  const waits = await waiting.waitsOf({ accountId, executionId: id });
  const sleeps = state.status === "waiting" ? state.sleeps : [];
  const shortage = state.status === "waiting" ? state.shortage : null;
  return [
    ...(shortage === null
      ? []
      : [{ kind: "budget", name: showShortage(shortage).limit, until: seconds(shortage.until) }]),
    ...waits.map(({ kind, name, since, until, link, approvalId }) => ({
      kind,
      name,
      since: since / 1_000,
      until: until === null ? null : until / 1_000,
      ...(kind === "approval" ? { id: approvalId, link } : {}),
    })),
    ...sleeps.map(({ since, until }) => ({ kind: "sleep", name: null, since: since / 1_000, until: until / 1_000 })),
  ];
}
