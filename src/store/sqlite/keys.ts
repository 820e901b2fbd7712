import type { Store } from "../store.ts";
import type { Database } from "./database.ts";
import { readExecution } from "./execution-row.ts";
import type { Writer } from "./writer.ts";

const RELEASE = "UPDATE executions SET idempotency_key = NULL WHERE id = ?";
// The oldest are looked at only: where the first of them is young enough, all are.
const EXPIRE = `UPDATE executions SET idempotency_key = NULL WHERE number IN (SELECT k.number FROM
  (SELECT number FROM executions INDEXED BY executions_keyed WHERE idempotency_key IS NOT NULL ORDER BY number LIMIT ?) k
  JOIN requests r ON r.number = k.number WHERE r.created_at < ?)`;

/** Idempotency keys: one execution of an account has a key until it is too old. */
export function createKeys(db: Database, writer: Writer): Pick<Store, "findKeyed" | "expireKeys"> {
  return {
    async findKeyed({ accountId, idempotencyKey, since }) {
      const found = readExecution(db, "e.account_id = ? AND e.idempotency_key = ?", accountId, idempotencyKey);
      if (found === null || found.createdAt >= since) return found;
      await writer.write(() => db.run(RELEASE, found.id));
      return null;
    },
    expireKeys: ({ since, max }) => writer.write(() => db.run(EXPIRE, max, since)),
  };
}
