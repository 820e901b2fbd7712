import { badArgument, isObject, overLimit, shown } from "./complain.ts";
import type { Cell, Layout } from "./layout.ts";
import { MAX_CONDITIONS, MAX_IN_VALUES } from "./limits.ts";
import type { ColumnType } from "./types.ts";

/** A condition in SQL on `r`, an alias of `records`, with its bound values; every part of the text is ours. */
export interface FilterSql {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

type Operator = "$eq" | "$ne" | "$in" | "$gt" | "$gte" | "$lt" | "$lte" | "$exists";

const COMPARE: Readonly<Partial<Record<Operator, string>>> = { $gt: ">", $gte: ">=", $lt: "<", $lte: "<=" };
const OPERATORS: readonly Operator[] = ["$eq", "$ne", "$in", "$gt", "$gte", "$lt", "$lte", "$exists"];

/** What the values of a type are compared with, as `typeof` says it. */
const COMPARED: Readonly<Record<ColumnType, string>> = {
  text: "string",
  integer: "number",
  real: "number",
  boolean: "boolean",
  json: "",
};

const NAMES: Readonly<Record<string, string>> = { string: "a text", number: "a number", boolean: "true or false" };

/** The name and the SQL of the thing that a condition is about. */
interface Subject {
  readonly cell: Pick<Cell, "name" | "type">;
  readonly sql: string;
}

function bound({ cell }: Subject, operator: Operator, value: unknown): string | number {
  const wanted = COMPARED[cell.type];
  if (wanted === "")
    throw badArgument(`filter: ${shown(cell.name)} is json, which can be filtered by $exists only`, {
      field: cell.name,
    });
  if (typeof value !== wanted)
    throw badArgument(
      `filter: ${shown(cell.name)} is ${cell.type}, so ${operator} needs ${NAMES[wanted]}, got ${shown(value)}`,
      { field: cell.name },
    );
  if (typeof value === "boolean") return value ? 1 : 0;
  return value as string | number;
}

const nothing: readonly never[] = [];
const isNull = (value: unknown): boolean => value === null;

function oneOf(subject: Subject, list: unknown): FilterSql {
  const { cell, sql } = subject;
  if (!Array.isArray(list))
    throw badArgument(`filter: $in of ${shown(cell.name)} must be a list, got ${shown(list)}`, { field: cell.name });
  if (list.length > MAX_IN_VALUES)
    throw overLimit(`filter: $in of ${shown(cell.name)}`, "maxInValues", MAX_IN_VALUES, list.length);
  const some = list.filter((value) => !isNull(value)).map((value) => bound(subject, "$in", value));
  const among = `${sql} IN (SELECT value FROM json_each(?))`;
  return { sql: list.some(isNull) ? `(${among} OR ${sql} IS NULL)` : among, values: [JSON.stringify(some)] };
}

function oneCondition(subject: Subject, operator: Operator, value: unknown): FilterSql {
  const { cell, sql } = subject;
  const compare = COMPARE[operator];
  if (compare !== undefined) {
    if (cell.type === "boolean")
      throw badArgument(`filter: ${shown(cell.name)} is boolean, which has no ${operator}`, { field: cell.name });
    return { sql: `${sql} ${compare} ?`, values: [bound(subject, operator, value)] };
  }
  if (operator === "$in") return oneOf(subject, value);
  if (operator === "$exists") {
    if (typeof value !== "boolean")
      throw badArgument(`filter: $exists of ${shown(cell.name)} must be true or false, got ${shown(value)}`, {
        field: cell.name,
      });
    return { sql: `${sql} IS ${value ? "NOT " : ""}NULL`, values: nothing };
  }
  const not = operator === "$ne" ? "NOT " : "";
  if (isNull(value)) return { sql: `${sql} IS ${not}NULL`, values: nothing };
  const operand = bound(subject, operator, value);
  // IS NOT, so that records without the field differ from every value.
  return { sql: operator === "$ne" ? `${sql} IS NOT ?` : `${sql} = ?`, values: [operand] };
}

function conditionsOn(subject: Subject, condition: unknown): readonly FilterSql[] {
  if (!isObject(condition)) return [oneCondition(subject, "$eq", condition)];
  const { name } = subject.cell;
  const entries = Object.entries(condition);
  if (entries.length === 0) throw badArgument(`filter: ${shown(name)} has no condition`, { field: name });
  return entries.map(([key, value]) => {
    const operator = OPERATORS.find((known) => known === key);
    if (operator === undefined)
      throw badArgument(`filter: ${shown(name)} has no operator ${shown(key)}; there are ${OPERATORS.join(", ")}`, {
        field: name,
      });
    return oneCondition(subject, operator, value);
  });
}

function subjectOf(name: string, { byName }: Layout): Subject {
  const cell = byName.get(name);
  if (cell !== undefined) return { cell, sql: `r.${cell.sql}` };
  // Records whose ids are not in the data can still be found by them.
  if (name === "id") return { cell: { name, type: "text" }, sql: "r.id" };
  const some = [...byName.keys()].slice(0, 20).map(shown).join(", ");
  throw badArgument(`filter: there is no field ${shown(name)}; there are ${some}`, { field: name });
}

/** Compiles a user's filter; null when it demands nothing. Throws INVALID_ARGUMENT and LIMIT_EXCEEDED. */
export function compileFilter(filter: unknown, layout: Layout): FilterSql | null {
  if (filter === undefined || filter === null) return null;
  if (!isObject(filter)) throw badArgument(`filter must be an object, got ${shown(filter)}`, { field: "filter" });
  const parts = Object.entries(filter).flatMap(([name, condition]) => conditionsOn(subjectOf(name, layout), condition));
  if (parts.length > MAX_CONDITIONS)
    throw overLimit("filter: conditions", "maxConditions", MAX_CONDITIONS, parts.length);
  if (parts.length === 0) return null;
  return { sql: parts.map(({ sql }) => sql).join(" AND "), values: parts.flatMap(({ values }) => values) };
}
