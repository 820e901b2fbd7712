import type { ErrorRecord } from "../../../runtime/index.ts";
import type { ErrorFilter, ExecutionFilter, ExecutionMode } from "../store.ts";
import type { Database } from "./database.ts";
import { STATUS } from "./execution-columns.ts";

interface Facts {
  readonly account_id: string;
  readonly workflow_id: string;
  readonly status: number;
  readonly created_at: number;
  readonly finished_at: number | null;
  readonly cached: number;
  readonly cost_usd: number;
  readonly error: string | null;
  readonly mode: ExecutionMode;
  readonly session_id: string;
  /** JSON text; null unless it was asked for. */
  readonly metadata: string | null;
}

const READ = `SELECT e.account_id, e.workflow_id, e.status, e.created_at, e.finished_at, e.cached, e.cost_usd, e.error,
  r.mode, r.session_id, CASE WHEN ? THEN r.data -> '$.metadata' END AS metadata
  FROM executions e JOIN requests r ON r.number = e.number WHERE e.number = ?`;

type Test = (facts: Facts) => boolean;
type Tests = { readonly [K in keyof ExecutionFilter]-?: (wanted: NonNullable<ExecutionFilter[K]>) => Test };

function hasError(error: string | null, { codes, opPrefix }: ErrorFilter): boolean {
  if (error === null) return false;
  const { code, details } = JSON.parse(error) as ErrorRecord;
  if (codes.includes(code) || codes.includes(String(details["code"]))) return true;
  return opPrefix !== null && String(details["op"] ?? "").startsWith(opPrefix);
}

function hasMembers(metadata: string | null, wanted: Readonly<Record<string, string>>): boolean {
  const members = JSON.parse(metadata ?? "null") as Readonly<Record<string, unknown>> | null;
  if (members === null) return false;
  return Object.entries(wanted).every(([name, text]) => {
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    return value === text || (value !== undefined && JSON.stringify(value) === text);
  });
}

const TESTS: Tests = {
  workflowId: (wanted) => (facts) => facts.workflow_id === wanted,
  statuses: (wanted) => (facts) => wanted.some((status) => STATUS[status] === facts.status),
  createdFrom: (wanted) => (facts) => facts.created_at >= wanted,
  createdBefore: (wanted) => (facts) => facts.created_at < wanted,
  finishedFrom: (wanted) => (facts) => facts.finished_at !== null && facts.finished_at >= wanted,
  finishedBefore: (wanted) => (facts) => facts.finished_at !== null && facts.finished_at < wanted,
  sessionId: (wanted) => (facts) => facts.session_id === wanted,
  // Only the index of parents is asked for children.
  parentId: () => () => true,
  cached: (wanted) => (facts) => (facts.cached === 1) === wanted,
  mode: (wanted) => (facts) => facts.mode === wanted,
  minCostUsd: (wanted) => (facts) => facts.cost_usd >= wanted,
  maxCostUsd: (wanted) => (facts) => facts.cost_usd <= wanted,
  error: (wanted) => (facts) => hasError(facts.error, wanted),
  metadata: (wanted) => (facts) => hasMembers(facts.metadata, wanted),
};

function testOf(name: keyof ExecutionFilter, filter: ExecutionFilter): Test | null {
  const wanted = filter[name];
  // TypeScript cannot see that both belong to the same member.
  return wanted === undefined ? null : (TESTS[name] as (wanted: unknown) => Test)(wanted);
}

const NAMES: readonly (keyof ExecutionFilter)[] = Object.keys(TESTS) as (keyof ExecutionFilter)[];

/** Looks at one execution. */
export type Match = (number: number) => boolean;

/** What is left to look at in each row of a source; null when every row is wanted. */
export function matchOf(
  db: Database,
  accountId: string,
  filter: ExecutionFilter,
  covers: ReadonlySet<keyof ExecutionFilter>,
): Match | null {
  const tests = NAMES.filter((name) => !covers.has(name))
    .map((name) => testOf(name, filter))
    .filter((test) => test !== null);
  // The index of parents knows no accounts.
  if (covers.has("parentId")) tests.push((facts) => facts.account_id === accountId);
  if (tests.length === 0) return null;
  const needsMetadata = filter.metadata === undefined ? 0 : 1;
  return (number) => {
    const facts = db.get<Facts>(READ, needsMetadata, number);
    return facts !== undefined && tests.every((test) => test(facts));
  };
}
