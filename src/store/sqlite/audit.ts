import type { AuditEntry, Store } from "../store.ts";
import type { Database } from "./database.ts";
import type { Writer } from "./writer.ts";

interface AuditRow {
  readonly seq: number;
  readonly at: number;
  readonly account_id: string;
  readonly key_id: string;
  readonly key_name: string;
  readonly action: string;
  readonly target: string;
  readonly status: number;
  readonly address: string;
  readonly request_id: string;
}

const ADD = `INSERT INTO audit (at, account_id, key_id, key_name, action, target, status, address, request_id)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const OF_ALL = "SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?";
const OF_ONE = "SELECT * FROM audit WHERE account_id = ? AND seq > ? ORDER BY seq LIMIT ?";
// By number, which grows with time: a clock that was set back only keeps some entries longer.
const REMOVE = `DELETE FROM audit WHERE seq IN (
  SELECT seq FROM (SELECT seq, at FROM audit ORDER BY seq LIMIT ?) AS oldest WHERE at < ?)`;

const toEntry = (row: AuditRow): AuditEntry & { readonly seq: number } => ({
  seq: row.seq,
  at: row.at,
  accountId: row.account_id,
  keyId: row.key_id,
  keyName: row.key_name,
  action: row.action,
  target: row.target,
  status: row.status,
  address: row.address,
  requestId: row.request_id,
});

/** The audit log. */
export function createAudit(db: Database, writer: Writer): Pick<Store, "addAudit" | "listAudit" | "removeAudit"> {
  return {
    async addAudit({ entry }) {
      const { at, accountId, keyId, keyName, action, target, status, address, requestId } = entry;
      await writer.write(() => db.run(ADD, at, accountId, keyId, keyName, action, target, status, address, requestId));
    },
    async listAudit({ accountId, after, limit }) {
      const rows =
        accountId === null ? db.all<AuditRow>(OF_ALL, after, limit) : db.all<AuditRow>(OF_ONE, accountId, after, limit);
      return rows.map(toEntry);
    },
    removeAudit: ({ before, limit }) => writer.write(() => db.run(REMOVE, limit, before)),
  };
}
