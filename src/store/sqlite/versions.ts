import { fail } from "../../../runtime/index.ts";
import type { Store, Version, VersionCode, Workflow } from "../store.ts";
import { type Database, sqliteCode } from "./database.ts";
import type { Recent } from "./recent.ts";
import type { Writer } from "./writer.ts";

interface VersionRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly account_id: string;
  readonly number: string;
  readonly notes: string;
  readonly bundle_hash: string;
  readonly facts: string;
  readonly isolation: Version["isolation"];
  readonly accessories: string;
  readonly datastores: string;
  readonly created_at: number;
}

type Versions = Pick<
  Store,
  | "addVersion"
  | "activateVersion"
  | "replaceSources"
  | "findVersion"
  | "listVersions"
  | "versionCode"
  | "bundleCode"
  | "putBlob"
  | "readBlob"
>;

const COLUMNS =
  "id, workflow_id, account_id, number, notes, bundle_hash, facts, isolation, accessories, datastores, created_at";
const INSERT = `INSERT INTO versions (${COLUMNS}, source_map, sources) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const ACTIVATE = "UPDATE workflows SET active_version_id = ?, updated_at = ? WHERE id = ? AND account_id = ?";
const FOREIGN_KEY = 787;
const UNIQUE = 2067;

function toVersion(row: VersionRow): Version {
  return {
    id: row.id,
    workflowId: row.workflow_id,
    accountId: row.account_id,
    number: row.number,
    notes: row.notes,
    bundleHash: row.bundle_hash,
    facts: JSON.parse(row.facts) as Version["facts"],
    isolation: row.isolation,
    accessories: JSON.parse(row.accessories) as Version["accessories"],
    datastores: JSON.parse(row.datastores) as Version["datastores"],
    createdAt: row.created_at,
  };
}

function insertVersion(db: Database, version: Version, code: VersionCode): void {
  const { id, workflowId, accountId, number, notes, bundleHash, facts, isolation, accessories, createdAt } = version;
  const lists = [JSON.stringify(accessories), JSON.stringify(version.datastores)] as const;
  const texts = [JSON.stringify(facts), isolation, ...lists] as const;
  db.run("INSERT INTO bundles (hash, code) VALUES (?, ?) ON CONFLICT DO NOTHING", bundleHash, code.code);
  try {
    db.run(
      INSERT,
      id,
      workflowId,
      accountId,
      number,
      notes,
      bundleHash,
      ...texts,
      createdAt,
      code.sourceMap,
      code.sources,
    );
  } catch (error) {
    if (sqliteCode(error) === FOREIGN_KEY) throw fail("WORKFLOW_NOT_FOUND", { ref: workflowId }, error);
    if (sqliteCode(error) !== UNIQUE) throw error;
    throw fail(
      "CONFLICT",
      { message: `Version ${number} of this workflow already exists.`, workflowId, number },
      error,
    );
  }
}

const LINK_BLOB = `INSERT INTO version_blobs (version_id, hash) SELECT ?, hash FROM blobs WHERE hash = ?
  ON CONFLICT DO NOTHING`;
const LINK_CONTENT = "INSERT INTO version_contents (version_id, hash) VALUES (?, ?) ON CONFLICT DO NOTHING";
const HAS_BLOB = "SELECT 1 AS found FROM blobs WHERE hash = ?";
/** A content that is noted or used cannot be removed in between: whoever adds a version has its turn. */
const HAS_CONTENT = `SELECT 1 AS found FROM loose_contents WHERE hash = ?1
  UNION ALL SELECT 1 FROM version_contents WHERE hash = ?1 LIMIT 1`;

/** Small contents are in the database, large ones beside it. */
function linkAccessories(db: Database, { id, accessories }: Version): void {
  for (const [key, { hash }] of Object.entries(accessories)) {
    if (db.get(HAS_BLOB, hash) !== undefined) db.run(LINK_BLOB, id, hash);
    else if (db.get(HAS_CONTENT, hash) !== undefined) db.run(LINK_CONTENT, id, hash);
    else {
      const message = `The content of accessory ${key} (${hash}) is not stored; put it first.`;
      throw fail("CONFLICT", { message, accessory: key, hash });
    }
  }
}

type ActivateParams = Parameters<Store["activateVersion"]>[0];

function activate(db: Database, { accountId, workflowId, versionId, now }: ActivateParams): void {
  const sql = "SELECT 1 AS found FROM versions WHERE id = ? AND workflow_id = ? AND account_id = ?";
  if (db.get(sql, versionId, workflowId, accountId) === undefined) {
    throw fail("VERSION_NOT_FOUND", { ref: workflowId, version: versionId });
  }
  db.run(ACTIVATE, versionId, now, workflowId, accountId);
}

type SourcesParams = Parameters<Store["replaceSources"]>[0];

function replaceSources(db: Database, { accountId, versionId, sourceMap, sources }: SourcesParams): void {
  const sql = "UPDATE versions SET source_map = ?, sources = ? WHERE id = ? AND account_id = ?";
  if (db.run(sql, sourceMap, sources, versionId, accountId) > 0) return;
  throw fail("VERSION_NOT_FOUND", { message: `Version not found: ${versionId}`, version: versionId });
}

/** Versions with their code, bundles and accessories' contents; the last two are shared by content hash. */
export function createVersions(
  db: Database,
  writer: Writer,
  recent: { readonly workflows: Recent<Workflow>; readonly versions: Recent<Version> },
): Versions {
  const find = (accountId: string, versionId: string): Version | null => {
    const sql = `SELECT ${COLUMNS} FROM versions WHERE id = ? AND account_id = ?`;
    const row = db.get<VersionRow>(sql, versionId, accountId);
    return row === undefined ? null : toVersion(row);
  };
  return {
    async addVersion({ version, code, activate: active }) {
      await writer.write(() => {
        recent.workflows.clear();
        insertVersion(db, version, code);
        linkAccessories(db, version);
        if (active) db.run(ACTIVATE, version.id, version.createdAt, version.workflowId, version.accountId);
      });
    },
    async activateVersion(params) {
      await writer.write(() => {
        recent.workflows.clear();
        activate(db, params);
      });
    },
    replaceSources: (params) => writer.write(() => replaceSources(db, params)),
    async findVersion({ accountId, versionId }) {
      return recent.versions.get(`${accountId}\n${versionId}`, () => find(accountId, versionId));
    },
    async listVersions({ accountId, workflowId }) {
      const sql = `SELECT ${COLUMNS} FROM versions INDEXED BY versions_by_workflow
        WHERE workflow_id = ? AND account_id = ? ORDER BY position DESC`;
      return db.all<VersionRow>(sql, workflowId, accountId).map(toVersion);
    },
    async versionCode({ accountId, versionId }) {
      const sql = `SELECT b.code, v.source_map AS sourceMap, v.sources FROM versions v JOIN bundles b ON b.hash = v.bundle_hash
        WHERE v.id = ? AND v.account_id = ?`;
      const row = db.get<VersionCode>(sql, versionId, accountId);
      return row === undefined ? null : { code: row.code, sourceMap: row.sourceMap, sources: row.sources };
    },
    async bundleCode({ hash }) {
      return db.get<{ code: string }>("SELECT code FROM bundles WHERE hash = ?", hash)?.code ?? null;
    },
    async putBlob({ hash, bytes }) {
      await writer.write(() =>
        db.run("INSERT INTO blobs (hash, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING", hash, bytes),
      );
    },
    async readBlob({ hash }) {
      return db.get<{ bytes: Uint8Array }>("SELECT bytes FROM blobs WHERE hash = ?", hash)?.bytes ?? null;
    },
  };
}
