import { fail } from "../../../runtime/index.ts";
import type { GraphFacts, Rating, RunCounts, Store, Trigger } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";
import type { Writer } from "./writer.ts";

interface FactsRow {
  readonly workflow_id: string;
  readonly account_id: string;
  readonly dialect: string | null;
  readonly category: string | null;
  readonly public: number;
  readonly color: string | null;
  readonly variables: string;
  readonly deployed: number;
  readonly published_version_id: string | null;
  readonly armed_until: number | null;
  readonly revision: number;
  readonly label: string;
}

interface TriggerRow {
  readonly id: string;
  readonly workflow_id: string;
  readonly account_id: string;
  readonly node_id: string;
  readonly secret: string;
  readonly single_use: number;
}

type Put = Parameters<Store["putGraph"]>[0];
type Graphs = Pick<
  Store,
  | "putGraph"
  | "findGraphFacts"
  | "graphDocument"
  | "runCounts"
  | "rateWorkflow"
  | "ratingOf"
  | "findTrigger"
  | "takeArm"
>;

const FACTS = "SELECT * FROM graph_facts WHERE workflow_id = ? AND account_id = ?";
const PUT_FACTS = `INSERT OR REPLACE INTO graph_facts (workflow_id, account_id, dialect, category, public, color, variables,
  deployed, published_version_id, armed_until, revision, label) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const KNOWN = "SELECT 1 FROM workflows WHERE id = ? AND account_id = ?";
const EXISTS = "SELECT 1 FROM workflows WHERE id = ?";
const PUT_DOCUMENT =
  "INSERT OR REPLACE INTO graph_documents (version_id, workflow_id, account_id, text) VALUES (?, ?, ?, ?)";
const DOCUMENT = "SELECT text FROM graph_documents WHERE version_id = ? AND account_id = ?";
const TRIGGER = "SELECT * FROM graph_triggers WHERE id = ?";
const PUT_TRIGGER =
  "INSERT INTO graph_triggers (id, workflow_id, account_id, node_id, secret, single_use) VALUES (?, ?, ?, ?, ?, ?)";
const COUNTS = "SELECT status, count FROM counts WHERE workflow_id = ?";
/** Completed ones that a mean looks at. */
const NEWEST = 1_000;
const MEAN = `SELECT avg(finished_at - started_at) AS mean FROM (SELECT finished_at, started_at FROM executions
  WHERE workflow_id = ? AND status = ${STATUS.completed} ORDER BY created_at DESC LIMIT ${NEWEST})`;
const LAST = "SELECT max(created_at) AS at FROM executions WHERE workflow_id = ? AND status = ?";
const RATE = `INSERT INTO graph_ratings (workflow_id, account_id, stars) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET stars = excluded.stars`;
const RATING = "SELECT coalesce(avg(stars), 0) AS mean, count(*) AS count FROM graph_ratings WHERE workflow_id = ?";
const TAKE = "UPDATE graph_facts SET armed_until = NULL WHERE workflow_id = ? AND armed_until > ?";
const STATUSES = Object.values(STATUS);
const ENDED = [STATUS.completed, STATUS.failed, STATUS.cancelled];

/** The facts of a row. */
export const toFacts = (row: FactsRow): GraphFacts => ({
  workflowId: row.workflow_id,
  accountId: row.account_id,
  dialect: row.dialect,
  category: row.category,
  isPublic: row.public === 1,
  color: row.color,
  variables: row.variables,
  deployed: row.deployed === 1,
  publishedVersionId: row.published_version_id,
  armedUntil: row.armed_until,
  revision: row.revision,
  label: row.label,
});

const toTrigger = (row: TriggerRow): Trigger => ({
  id: row.id,
  workflowId: row.workflow_id,
  accountId: row.account_id,
  nodeId: row.node_id,
  secret: row.secret,
  singleUse: row.single_use === 1,
});

const fresh = ({ workflowId, accountId }: Put): GraphFacts => ({
  ...{ workflowId, accountId, dialect: null, category: null, isPublic: false, color: null, variables: "{}" },
  ...{ deployed: false, publishedVersionId: null, armedUntil: null, revision: 0, label: "1.0" },
});

function putTriggers(db: Database, { workflowId, accountId }: Put, triggers: NonNullable<Put["triggers"]>): void {
  db.run("DELETE FROM graph_triggers WHERE workflow_id = ?", workflowId);
  for (const { id, nodeId, secret, singleUse } of triggers) {
    if (db.get(TRIGGER, id) !== undefined) {
      const message = `webhook_id: ${id} belongs to another webhook`;
      throw fail("CONFLICT", { message, param: "webhook_id" });
    }
    db.run(PUT_TRIGGER, id, workflowId, accountId, nodeId, secret, singleUse ? 1 : 0);
  }
}

function put(db: Database, params: Put): GraphFacts {
  const { workflowId, accountId, document, triggers, ...changes } = params;
  if (db.get(KNOWN, workflowId, accountId) === undefined) throw fail("WORKFLOW_NOT_FOUND", { ref: workflowId });
  const row = db.get<FactsRow>(FACTS, workflowId, accountId);
  const facts = { ...(row === undefined ? fresh(params) : toFacts(row)), ...changes };
  const { dialect, category, color, variables, publishedVersionId, armedUntil, revision, label } = facts;
  const flags = [facts.isPublic ? 1 : 0, color, variables, facts.deployed ? 1 : 0] as const;
  db.run(
    PUT_FACTS,
    workflowId,
    accountId,
    dialect,
    category,
    ...flags,
    publishedVersionId,
    armedUntil,
    revision,
    label,
  );
  if (document !== undefined) db.run(PUT_DOCUMENT, document.versionId, workflowId, accountId, document.text);
  if (triggers !== undefined) putTriggers(db, params, triggers);
  return facts;
}

/** How the executions of a workflow went; a few reads of indexes. */
export function countRuns(db: Database, workflowId: string): RunCounts {
  const counts = new Map(
    db.all<{ status: number; count: number }>(COUNTS, workflowId).map(({ status, count }) => [status, count]),
  );
  const sum = (statuses: readonly number[]) => statuses.reduce((total, one) => total + (counts.get(one) ?? 0), 0);
  const times = STATUSES.map((status) => db.get<{ at: number | null }>(LAST, workflowId, status)?.at ?? 0);
  const last = Math.max(...times);
  return {
    runs: sum(STATUSES),
    finished: sum(ENDED),
    completed: counts.get(STATUS.completed) ?? 0,
    meanMs: db.get<{ mean: number | null }>(MEAN, workflowId)?.mean ?? 0,
    lastRunAt: last === 0 ? null : last,
  };
}

/** The stars of a workflow. */
export function ratingIn(db: Database, workflowId: string): Rating {
  return db.get<Rating>(RATING, workflowId) ?? { mean: 0, count: 0 };
}

/** Graphs of workflows. */
export function createGraphs(db: Database, writer: Writer): Graphs {
  return {
    putGraph: (params) => writer.write(() => put(db, params)),
    async findGraphFacts({ accountId, workflowId }) {
      const row = db.get<FactsRow>(FACTS, workflowId, accountId);
      return row === undefined ? null : toFacts(row);
    },
    async graphDocument({ accountId, versionId }) {
      return db.get<{ text: string }>(DOCUMENT, versionId, accountId)?.text ?? null;
    },
    async runCounts({ accountId, workflowId }) {
      if (db.get(KNOWN, workflowId, accountId) === undefined) throw fail("WORKFLOW_NOT_FOUND", { ref: workflowId });
      return countRuns(db, workflowId);
    },
    rateWorkflow: ({ accountId, workflowId, stars }) =>
      writer.write(() => {
        if (db.get(EXISTS, workflowId) === undefined) throw fail("WORKFLOW_NOT_FOUND", { ref: workflowId });
        db.run(RATE, workflowId, accountId, stars);
        return ratingIn(db, workflowId);
      }),
    async ratingOf({ workflowId }) {
      return ratingIn(db, workflowId);
    },
    async findTrigger({ triggerId }) {
      const row = db.get<TriggerRow>(TRIGGER, triggerId);
      return row === undefined ? null : toTrigger(row);
    },
    takeArm: ({ workflowId, now }) => writer.write(() => db.run(TAKE, workflowId, now) === 1),
  };
}
