import type { Lease } from "../store.ts";
import type { Database } from "./database.ts";

/** The running execution whose current lease was shown. */
export interface Holder {
  readonly number: number;
  readonly workflow_id: string;
  /** 1 when someone asked to stop it. */
  readonly cancel: number;
}

const FIND = "SELECT number, workflow_id, cancel FROM executions WHERE id = ? AND fence = ? AND status = 1";

/** Null when the lease was taken over, or the execution is parked, ended or unknown. */
export function holderOf(db: Database, lease: Lease): Holder | null {
  return db.get<Holder>(FIND, lease.executionId, lease.fence) ?? null;
}
