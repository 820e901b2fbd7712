import type { Fields } from "../types.ts";
import { type Ids, isFields, listOf, memberOf, textOf, type Unmapped } from "./imported.ts";

/** A connection of n8n. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly output: number;
}

/** All connections of a workflow. */
export function linksOf(document: Fields): readonly Link[] {
  const sources = isFields(document["connections"]) ? Object.entries(document["connections"]) : [];
  return sources.flatMap(([from, kinds]) =>
    Object.entries(isFields(kinds) ? kinds : {}).flatMap(([kind, outputs]) =>
      (Array.isArray(outputs) ? outputs : []).flatMap((targets: unknown, output) =>
        listOf(targets).map((target) => ({ from, to: textOf(target["node"]), kind, output })),
      ),
    ),
  );
}

/** What the nodes of one workflow share while they are taken over. */
export interface Reading {
  readonly ids: Ids;
  readonly links: readonly Link[];
  readonly byName: ReadonlyMap<string, Fields>;
  readonly unmapped: Unmapped[];
}

/** n8n's expressions as templates; what cannot be said is reported and stays as text. */
export function template(text: string, node: Fields, reading: Reading): string {
  if (!text.startsWith("=")) return text.replaceAll("{{", "{ {");
  const name = textOf(node["name"]);
  const before = reading.links.filter(({ to, kind }) => to === name && kind === "main").map(({ from }) => from);
  const previous =
    before.length === 1 && before[0] !== undefined && reading.ids.has(before[0]) ? reading.ids.of(before[0]) : "input";
  return text.slice(1).replaceAll(/\{\{([\s\S]*?)\}\}/g, (_whole, inner: string) => {
    const said = inner
      .trim()
      .replaceAll(/\$\(\s*["']([^"']+)["']\s*\)\.(?:item|first\(\)|last\(\))\.json/g, (_all, of: string) =>
        reading.ids.of(of),
      )
      .replaceAll(/\$node\[\s*["']([^"']+)["']\s*\]\.json/g, (_all, of: string) => reading.ids.of(of))
      .replaceAll(/\$(?:json|input\.item\.json|input\.first\(\)\.json)/g, previous);
    if (/[$()]|=>/.test(said)) {
      reading.unmapped.push({
        node: name,
        type: textOf(node["type"]),
        why: `the expression {{ ${inner.trim().slice(0, 100)} }} is kept as text`,
      });
      return `{ {${inner}} }`;
    }
    return `{{${said}}}`;
  });
}

/** A value with expressions anywhere in it. */
export function anyTemplate(value: unknown, node: Fields, reading: Reading): unknown {
  if (typeof value === "string") return template(value, node, reading);
  if (Array.isArray(value)) return value.map((one) => anyTemplate(one, node, reading));
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, anyTemplate(one, node, reading)]));
}

/** Rows of `{ name, value }` as an object. */
export function pairs(value: unknown, node: Fields, reading: Reading): Fields {
  return Object.fromEntries(
    listOf(memberOf(value, "parameters")).map((row) => [
      textOf(row["name"]),
      anyTemplate(row["value"] ?? "", node, reading),
    ]),
  );
}

const OPERATIONS: Readonly<Record<string, string>> = {
  equals: "==",
  notEquals: "!=",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
  larger: ">",
  largerEqual: ">=",
  smaller: "<",
  smallerEqual: "<=",
  contains: "contains",
  equal: "==",
  notEqual: "!=",
};

/** One side of a comparison, as an expression. */
function operand(value: unknown, node: Fields, reading: Reading): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  const said = template(value, node, reading);
  const whole = /^\{\{([\s\S]*)\}\}$/.exec(said.trim())?.[1];
  return whole ?? JSON.stringify(said);
}

function comparison(row: Fields, node: Fields, reading: Reading): string | null {
  const operator = isFields(row["operator"]) ? row["operator"]["operation"] : row["operation"];
  const sign = OPERATIONS[textOf(operator) || "equal"];
  const left = row["leftValue"] ?? row["value1"];
  if (textOf(operator) === "true" || textOf(operator) === "exists") return operand(left, node, reading);
  if (sign === undefined) return null;
  return `${operand(left, node, reading)} ${sign} ${operand(row["rightValue"] ?? row["value2"], node, reading)}`;
}

/** The conditions of a node as one expression; null where one has no counterpart. */
export function conditionOf(value: unknown, node: Fields, reading: Reading): string | null {
  const rows = listOf(memberOf(value, "conditions"));
  const old = isFields(value) ? Object.values(value).flatMap(listOf) : [];
  const found = (rows.length > 0 ? rows : old).map((row) => comparison(row, node, reading));
  if (found.length === 0 || found.includes(null)) return null;
  const joint =
    memberOf(value, "combinator") === "or" || memberOf(node, "parameters", "combineOperation") === "any"
      ? " or "
      : " and ";
  return found.map((one) => (found.length === 1 ? one : `(${one})`)).join(joint);
}
