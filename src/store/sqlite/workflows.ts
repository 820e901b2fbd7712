import { isDeepStrictEqual } from "node:util";
import type { Page, Store, Workflow } from "../store.ts";
import type { Database } from "./database.ts";
import type { Recent } from "./recent.ts";
import type { Writer } from "./writer.ts";

/** A row as it is stored. */
export interface WorkflowRow {
  readonly number: number;
  readonly id: string;
  readonly account_id: string;
  readonly ref: string;
  readonly name: string;
  readonly description: string;
  readonly execution_mode: Workflow["executionMode"];
  readonly timeout_ms: number | null;
  readonly application: string | null;
  readonly env: string;
  readonly env_revision: number;
  readonly validate_input: number;
  readonly input_schema: string | null;
  readonly output_schema: string | null;
  readonly cache_enabled: number | null;
  readonly cache_ttl_ms: number | null;
  readonly retention: string | null;
  readonly active_version_id: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

type Workflows = Pick<Store, "putWorkflow" | "findWorkflow" | "listWorkflows">;

/** Refs that no upload can have: those of agents. */
const LISTED = "account_id = ? AND ref NOT GLOB 'agent:*'";
const BY_REF = "SELECT * FROM workflows WHERE account_id = ? AND ref = ?";
const BY_ID = "SELECT * FROM workflows WHERE id = ? AND account_id = ?";
const BY_NUMBER = "SELECT * FROM workflows WHERE number = ? AND account_id = ?";
const INSERT = `INSERT INTO workflows (name, description, execution_mode, timeout_ms, application, env, env_revision,
  validate_input, input_schema, output_schema, cache_enabled, cache_ttl_ms, retention, updated_at, id, account_id, ref, created_at)
  VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const UPDATE = `UPDATE workflows SET name = ?, description = ?, execution_mode = ?, timeout_ms = ?, application = ?, env = ?,
  env_revision = env_revision + ?, validate_input = ?, input_schema = ?, output_schema = ?, cache_enabled = ?, cache_ttl_ms = ?, retention = ?, updated_at = ? WHERE id = ?`;

const fromText = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
const toText = (schema: unknown): string | null => (schema === null ? null : JSON.stringify(schema));

/** The workflow of a row. */
export function toWorkflow(row: WorkflowRow): Workflow {
  return {
    number: row.number,
    id: row.id,
    accountId: row.account_id,
    ref: row.ref,
    name: row.name,
    description: row.description,
    executionMode: row.execution_mode,
    timeoutMs: row.timeout_ms,
    application: row.application,
    env: JSON.parse(row.env) as Workflow["env"],
    envRevision: row.env_revision,
    validateInput: row.validate_input === 1,
    inputSchema: fromText(row.input_schema),
    outputSchema: fromText(row.output_schema),
    cache: row.cache_enabled === null ? null : { enabled: row.cache_enabled === 1, ttlMs: row.cache_ttl_ms },
    retention: row.retention === null ? null : (JSON.parse(row.retention) as Workflow["retention"]),
    activeVersionId: row.active_version_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function findByKey(db: Database, accountId: string, key: string): Workflow | null {
  const row =
    db.get<WorkflowRow>(BY_REF, accountId, key) ??
    db.get<WorkflowRow>(BY_ID, key, accountId) ??
    (/^[1-9]\d{0,14}$/.test(key) ? db.get<WorkflowRow>(BY_NUMBER, Number(key), accountId) : undefined);
  return row === undefined ? null : toWorkflow(row);
}

type PutParams = Parameters<Store["putWorkflow"]>[0];

function put(db: Database, params: PutParams): void {
  const { name, description, executionMode, timeoutMs, application, cache, now } = params;
  const row = db.get<WorkflowRow>(BY_REF, params.accountId, params.ref);
  const env = JSON.stringify(params.env);
  const input = [params.validateInput ? 1 : 0, toText(params.inputSchema), toText(params.outputSchema)];
  const retention = params.retention === null ? null : JSON.stringify(params.retention);
  const kept = [cache === null ? null : Number(cache.enabled), cache?.ttlMs ?? null, retention];
  const before = [name, description, executionMode, timeoutMs, application, env];
  if (row === undefined) {
    const { id, accountId, ref, createdAt } = params;
    db.run(INSERT, ...before, ...input, ...kept, now, id, accountId, ref, createdAt);
  } else {
    const changed = isDeepStrictEqual(JSON.parse(row.env), JSON.parse(env)) ? 0 : 1;
    db.run(UPDATE, ...before, changed, ...input, ...kept, now, row.id);
  }
}

/** Workflows by ref, UUID or number; `recent` spares each call the decoding of the same row. */
export function createWorkflows(db: Database, writer: Writer, recent: Recent<Workflow>): Workflows {
  return {
    putWorkflow: (params) =>
      writer.write(() => {
        recent.clear();
        put(db, params);
        return toWorkflow(db.get<WorkflowRow>(BY_REF, params.accountId, params.ref) as WorkflowRow);
      }),
    async findWorkflow({ accountId, key }) {
      return recent.get(`${accountId}\n${key}`, () => findByKey(db, accountId, key));
    },
    async listWorkflows({ accountId, limit, offset }): Promise<Page<Workflow>> {
      const sql = `SELECT * FROM workflows WHERE ${LISTED} ORDER BY number DESC LIMIT ? OFFSET ?`;
      const items = db.all<WorkflowRow>(sql, accountId, limit, offset).map(toWorkflow);
      const count = db.get<{ n: number }>(`SELECT count(*) AS n FROM workflows WHERE ${LISTED}`, accountId);
      return { items, total: count?.n ?? 0 };
    },
  };
}
