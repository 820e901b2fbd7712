import { fail } from "../../../runtime/index.ts";
import type { FileQuota, Store, StoredFile } from "../store.ts";
import type { Database } from "./database.ts";
import { holderOf } from "./holder.ts";
import type { Writer } from "./writer.ts";

type Files = Pick<
  Store,
  | "addFile"
  | "addOutput"
  | "completeUpload"
  | "findFile"
  | "fileOfLink"
  | "listFiles"
  | "listOutputs"
  | "fileTotals"
  | "removeFile"
  | "pruneUploads"
  | "noteLoose"
  | "listLoose"
  | "isContentUsed"
  | "forgetLoose"
>;

const COLUMNS = `id, account_id AS accountId, name, content_type AS contentType, bytes, hash, scope_type AS scopeType,
  scope_id AS scopeId, execution_id AS executionId, pos, created_at AS createdAt, until_at AS until`;
const INSERT = `INSERT INTO files (id, account_id, name, content_type, bytes, hash, scope_type, scope_id, execution_id, pos,
  created_at, until_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const FIND = `SELECT ${COLUMNS} FROM files WHERE id = ?`;
const AT_POS = `SELECT ${COLUMNS} FROM files WHERE execution_id = ? AND pos = ?`;
const OUTPUTS = `SELECT ${COLUMNS} FROM files INDEXED BY files_by_execution
  WHERE execution_id = ? AND account_id = ? ORDER BY pos`;
const COUNT_OUTPUTS = "SELECT count(*) AS n FROM files INDEXED BY files_by_execution WHERE execution_id = ?";
const LIST = `SELECT ${COLUMNS} FROM files INDEXED BY files_by_account
  WHERE account_id = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`;
const COMPLETE =
  "UPDATE files SET hash = ?, until_at = NULL WHERE id = ? AND bytes = ? AND hash IS NULL AND until_at > ?";
const TOTALS = "SELECT files, bytes FROM file_totals WHERE account_id = ?";
const PRUNE =
  "DELETE FROM files WHERE number IN (SELECT number FROM files INDEXED BY files_awaited WHERE until_at < ? LIMIT ?)";
const USED = `SELECT 1 AS found FROM files WHERE hash = ?1
  UNION ALL SELECT 1 FROM version_contents WHERE hash = ?1 LIMIT 1`;

const totalsOf = (db: Database, accountId: string) =>
  db.get<{ readonly files: number; readonly bytes: number }>(TOTALS, accountId) ?? { files: 0, bytes: 0 };

/** How far the account would be over its quota, as a message; null when there is room. */
function overQuota(db: Database, { accountId, bytes }: StoredFile, { maxAccountFileBytes }: FileQuota): string | null {
  const total = totalsOf(db, accountId).bytes + bytes;
  if (total <= maxAccountFileBytes) return null;
  return `files: ${total} bytes of the account with this one, over ${maxAccountFileBytes} (maxAccountFileBytes); delete some first`;
}

function insert(db: Database, file: StoredFile): void {
  const { id, accountId, name, contentType, bytes, hash, scopeType, scopeId, executionId, pos } = file;
  const whose = [scopeType, scopeId, executionId, pos, file.createdAt, file.until] as const;
  db.run(INSERT, id, accountId, name, contentType, bytes, hash, ...whose);
}

function add(db: Database, { file, quota }: Parameters<Store["addFile"]>[0]): void {
  const message = overQuota(db, file, quota);
  if (message !== null)
    throw fail("PAYLOAD_TOO_LARGE", { message, limit: "maxAccountFileBytes", value: quota.maxAccountFileBytes });
  insert(db, file);
}

const isSame = (one: StoredFile, other: StoredFile) =>
  one.hash === other.hash && one.name === other.name && one.contentType === other.contentType;

function addOutput(db: Database, { file, lease, quota }: Parameters<Store["addOutput"]>[0]): StoredFile {
  const { executionId } = lease;
  if (holderOf(db, lease) === null) {
    const message = `Execution ${executionId} takes no file from lease ${lease.fence}: it is no longer the current one.`;
    throw fail("CONFLICT", { message, executionId, fence: lease.fence });
  }
  const known = db.get<StoredFile>(AT_POS, executionId, file.pos);
  if (known !== undefined) {
    if (isSame(known, file)) return { ...known };
    // Written by an attempt that ended before its journal said so; what this one has done instead came to it in another order.
    db.run("DELETE FROM files WHERE id = ?", known.id);
  }
  const count = (db.get<{ n: number }>(COUNT_OUTPUTS, executionId)?.n ?? 0) + 1;
  if (count > quota.maxFiles) {
    const message = `files: ${count} files written by this execution, over ${quota.maxFiles} (maxFiles)`;
    throw fail("LIMIT_EXCEEDED", { message, limit: "maxFiles", value: count });
  }
  const message = overQuota(db, file, quota);
  if (message !== null)
    throw fail("LIMIT_EXCEEDED", { message, limit: "maxAccountFileBytes", value: quota.maxAccountFileBytes });
  insert(db, file);
  return file;
}

/** Files of accounts and outputs of executions. */
export function createFiles(db: Database, writer: Writer): Files {
  const find = (fileId: string): StoredFile | null => {
    const row = db.get<StoredFile>(FIND, fileId);
    return row === undefined ? null : { ...row };
  };
  return {
    addFile: (params) => writer.write(() => add(db, params)),
    addOutput: (params) => writer.write(() => addOutput(db, params)),
    completeUpload: ({ fileId, hash, bytes, now }) =>
      writer.write(() => db.run(COMPLETE, hash, fileId, bytes, now) === 1),
    async findFile({ accountId, fileId }) {
      const file = find(fileId);
      return file?.accountId === accountId ? file : null;
    },
    async fileOfLink({ fileId }) {
      return find(fileId);
    },
    async listFiles({ accountId, after, limit }) {
      const { createdAt, id } = after ?? { createdAt: Number.MAX_VALUE, id: "" };
      return db.all<StoredFile>(LIST, accountId, createdAt, id, limit).map((row) => ({ ...row }));
    },
    async listOutputs({ accountId, executionId }) {
      return db.all<StoredFile>(OUTPUTS, executionId, accountId).map((row) => ({ ...row }));
    },
    async fileTotals({ accountId }) {
      return { ...totalsOf(db, accountId) };
    },
    removeFile: ({ accountId, fileId }) =>
      writer.write(() => db.run("DELETE FROM files WHERE id = ? AND account_id = ?", fileId, accountId) === 1),
    pruneUploads: ({ now, max }) => writer.write(() => db.run(PRUNE, now, max)),
    async noteLoose({ hash }) {
      await writer.write(() => db.run("INSERT INTO loose_contents (hash) VALUES (?) ON CONFLICT DO NOTHING", hash));
    },
    async listLoose({ limit }) {
      return db.all<{ hash: string }>("SELECT hash FROM loose_contents LIMIT ?", limit).map(({ hash }) => hash);
    },
    async isContentUsed({ hash }) {
      return db.get(USED, hash) !== undefined;
    },
    async forgetLoose({ hash }) {
      await writer.write(() => db.run("DELETE FROM loose_contents WHERE hash = ?", hash));
    },
  };
}
