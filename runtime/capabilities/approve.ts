import type { ApprovalQuestion } from "../execution.ts";
import { type Fields, invalidIn, isFields, shown } from "./arguments.ts";
import { type Capability, defineOp } from "./capability.ts";
import { parseUntil } from "./wait-for.ts";

interface AskArgs extends ApprovalQuestion {
  readonly until: number | null;
}

interface DecisionArgs {
  readonly id: string;
  readonly until: number | null;
}

const FIELDS = new Set(["title", "description", "schema", "data", "approvers", "until"]);
const MAX_TITLE_CHARS = 200;
const MAX_DESCRIPTION_CHARS = 4_000;
const MAX_SCHEMA_CHARS = 20_000;
const MAX_DATA_CHARS = 65_536;
const MAX_APPROVERS = 50;

const invalid = invalidIn("approve");

function parseText(value: unknown, field: string, max: number): string {
  if (typeof value !== "string") throw invalid(field, `must be a string, got ${shown(value)}`);
  if (value.length > max) throw invalid(field, `has ${value.length} characters, over ${max}`);
  return value;
}

function parseTitle(value: unknown): string {
  const title = parseText(value, "title", MAX_TITLE_CHARS);
  if (title.trim() === "") throw invalid("title", "must not be empty");
  return title;
}

function parseSchema(schema: unknown): Fields | null {
  if (schema === undefined || schema === null) return null;
  if (!isFields(schema)) throw invalid("schema", `must be a JSON Schema object, got ${shown(schema)}`);
  const { length } = JSON.stringify(schema);
  if (length > MAX_SCHEMA_CHARS) throw invalid("schema", `has ${length} characters as JSON, over ${MAX_SCHEMA_CHARS}`);
  return schema;
}

function parseData(data: unknown): unknown {
  const { length } = JSON.stringify(data ?? null);
  if (length > MAX_DATA_CHARS) throw invalid("data", `has ${length} characters as JSON, over ${MAX_DATA_CHARS}`);
  return data ?? null;
}

function parseApprovers(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid("approvers", `must be a list of names, got ${shown(value)}`);
  if (value.length > MAX_APPROVERS) throw invalid("approvers", `has ${value.length} names, over ${MAX_APPROVERS}`);
  return value.map((name, index) => parseText(name, `approvers.${index}`, MAX_TITLE_CHARS));
}

const ask = defineOp<AskArgs>({
  effect: "outside",
  parse(args) {
    if (!isFields(args)) throw invalid("the argument", `must be an object, got ${shown(args)}`);
    for (const name of Object.keys(args)) if (!FIELDS.has(name)) throw invalid(name, "is not a known field");
    return {
      title: parseTitle(args["title"]),
      description: parseText(args["description"] ?? "", "description", MAX_DESCRIPTION_CHARS),
      schema: parseSchema(args["schema"]),
      data: parseData(args["data"]),
      approvers: parseApprovers(args["approvers"]),
      until: parseUntil(args["until"], invalid),
    };
  },
  run: async (question, { pos, scope }) => (await scope.wait({ kind: "ask", pos, ...question })) ?? "null",
});

const decision = defineOp<DecisionArgs>({
  effect: "outside",
  parse(args) {
    const { id, until } = isFields(args) ? args : { id: null, until: null };
    return { id: parseText(id, "id", MAX_TITLE_CHARS), until: parseUntil(until, invalid) };
  },
  async run({ id, until }, { pos, scope, park }) {
    const answer = await scope.wait({ kind: "approval", pos, id, until });
    if (answer !== null) return answer;
    park(until ?? Number.POSITIVE_INFINITY);
    return scope.waited(pos);
  },
});

/** ctx.approve: a person's decision. `approve.request` makes the link, `approve` waits and parks the execution. */
export const approve: Capability = {
  name: "approve",
  ops: { "approve.request": ask, approve: decision },
  declaration: `  /** Asks a person and waits for the decision; once the timeout has passed it is \`approved: false\` with \`timed_out: true\`. */
  approve<T = any>(question: ApprovalQuestion): Promise<Decision<T>>;`,
  doc: {
    member: "approve({ title, schema, timeout })",
    sentence: "Asks a person by a signed one-time link or over the API, and waits for the decision.",
    limits: ["maxWaits"],
  },
};
