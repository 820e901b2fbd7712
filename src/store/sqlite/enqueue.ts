import { fail } from "../../../runtime/index.ts";
import type { Execution, Gates, NewExecution } from "../store.ts";
import type { Database } from "./database.ts";
import { joinDebounced } from "./debounce.ts";
import { readExecution } from "./execution-row.ts";
import { addGates } from "./gates.ts";
import { insertExecution, queuedState } from "./new-execution.ts";

/** The execution that a ctx call of `parentId` started, or null. */
export function findChild(db: Database, parentId: string, parentPos: number): Execution | null {
  return readExecution(db, "e.parent_id = ? AND e.parent_pos = ?", parentId, parentPos);
}

function findTwin(db: Database, execution: NewExecution): Execution | null {
  const { accountId, idempotencyKey, parentId, parentPos } = execution;
  if (idempotencyKey !== null) {
    const twin = readExecution(db, "e.account_id = ? AND e.idempotency_key = ?", accountId, idempotencyKey);
    if (twin !== null) return twin;
  }
  return parentId === null || parentPos === null ? null : findChild(db, parentId, parentPos);
}

function readBack(db: Database, number: number, { id }: NewExecution): Execution {
  const stored = readExecution(db, "e.number = ?", number);
  if (stored === null) throw fail("EXECUTION_NOT_FOUND", { id });
  return stored;
}

/** A debounced execution begins a while after its call. */
function delayed(execution: NewExecution, gates: Gates | null): NewExecution {
  const { createdAt, runAt } = execution;
  const delayMs = gates?.debounce?.delayMs ?? 0;
  return delayMs === 0 ? execution : { ...execution, runAt: Math.max(runAt, createdAt + delayMs) };
}

/** What a row says that was just added: it need not be read back. */
const UNTOUCHED = Object.freeze({
  state: Object.freeze({ status: "queued" }),
  usage: Object.freeze({ promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 0, cpuMs: 0 }),
  chunkCount: 0,
  fence: 0,
  attempts: 1,
  retries: 0,
  lastError: null,
  resumedAt: null,
  isGated: false,
} as const);

/** Adds a queued execution, or finds the one that the call belongs to. */
export function enqueue(
  db: Database,
  asked: NewExecution,
  gates: Gates | null,
): { execution: Execution; created: boolean; debounced: boolean } {
  const twin = findTwin(db, asked);
  if (twin !== null) return { execution: twin, created: false, debounced: false };
  const debounce = gates?.debounce ?? null;
  const joined = debounce === null ? null : joinDebounced(db, asked, debounce);
  if (joined !== null) return { execution: readBack(db, joined, asked), created: false, debounced: true };
  const execution = delayed(asked, gates);
  const number = insertExecution(db, execution, queuedState(execution));
  const { createdAt: now, runAt } = execution;
  if (gates === null) return { execution: { ...execution, ...UNTOUCHED }, created: true, debounced: false };
  addGates(db, number, execution, { gates, isDue: runAt <= now, now });
  return { execution: readBack(db, number, execution), created: true, debounced: false };
}
