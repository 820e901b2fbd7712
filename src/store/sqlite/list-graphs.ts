import type { GraphFacts, ListedGraph, Store } from "../store.ts";
import type { Database } from "./database.ts";
import { countRuns, ratingIn, toFacts } from "./graphs.ts";
import { toWorkflow, type WorkflowRow } from "./workflows.ts";

type Query = Parameters<Store["listGraphs"]>[0];
type FactsRow = Parameters<typeof toFacts>[0];

const ORDERS: Readonly<Record<Query["sort"], string>> = {
  created_at: "w.created_at",
  name: "w.name COLLATE NOCASE",
  updated_at: "w.updated_at",
  last_run_at: "coalesce((SELECT max(e.created_at) FROM executions e WHERE e.workflow_id = w.id), 0)",
};
const FROM = `FROM workflows w LEFT JOIN graph_facts f ON f.workflow_id = w.id
  WHERE ((w.account_id = ?1 AND w.ref NOT GLOB 'agent:*') OR (?2 = 1 AND f.public = 1))
  AND (?3 IS NULL OR f.category = ?3) AND (?4 IS NULL OR instr(lower(w.name), lower(?4)) > 0)`;
const PUBLIC = `SELECT w.* FROM workflows w JOIN graph_facts f ON f.workflow_id = w.id WHERE w.id = ? AND f.public = 1`;
const FACTS = "SELECT * FROM graph_facts WHERE workflow_id = ?";

function factsOf(db: Database, workflowId: string): GraphFacts | null {
  const row = db.get<FactsRow>(FACTS, workflowId);
  return row === undefined ? null : toFacts(row);
}

function toListed(db: Database, row: WorkflowRow): ListedGraph {
  const workflow = toWorkflow(row);
  const { id } = workflow;
  return { workflow, facts: factsOf(db, id), counts: countRuns(db, id), rating: ratingIn(db, id) };
}

/** Lists of workflows as the graph APIs have them. */
export function createGraphLists(db: Database): Pick<Store, "listGraphs" | "findPublicGraph"> {
  return {
    async listGraphs({ accountId, withPublic, category, query, sort, order, limit, offset }) {
      const values = [accountId, withPublic ? 1 : 0, category, query] as const;
      const by = `${ORDERS[sort]} ${order === "asc" ? "ASC" : "DESC"}, w.number ${order === "asc" ? "ASC" : "DESC"}`;
      const sql = `SELECT w.* ${FROM} ORDER BY ${by} LIMIT ?5 OFFSET ?6`;
      const rows = db.all<WorkflowRow>(sql, ...values, limit, offset);
      const total = db.get<{ n: number }>(`SELECT count(*) AS n ${FROM}`, ...values)?.n ?? 0;
      return { items: rows.map((row) => toListed(db, row)), total };
    },
    async findPublicGraph({ workflowId }) {
      const row = db.get<WorkflowRow>(PUBLIC, workflowId);
      return row === undefined ? null : toListed(db, row);
    },
  };
}
