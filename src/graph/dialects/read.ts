import { UNREACHABLE } from "../names.ts";
import { type Problems, shown } from "../problems.ts";
import {
  DEFAULT_SETTINGS,
  type Fields,
  type GraphEdge,
  type GraphNode,
  type GraphSettings,
  type InputField,
  MAX_EDGES,
  MAX_NODES,
} from "../types.ts";

/** True for an object that is no list. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A text member; null where there is none. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** The members of a list in a document; `most` of them at the most. */
export function listOf(value: unknown, path: string, most: number, problems: Problems): readonly Fields[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    problems.add(path, `must be an array, got ${shown(value)}`);
    return [];
  }
  if (value.length > most) {
    problems.add(path, `may have ${most} entries, got ${value.length}`);
    return [];
  }
  return value.map((one, i) => {
    if (isFields(one)) return one;
    problems.add(`${path}[${i}]`, `must be an object, got ${shown(one)}`);
    return {};
  });
}

function positionOf(value: unknown): GraphNode["position"] {
  if (!isFields(value)) return null;
  const { x, y } = value;
  return typeof x === "number" && typeof y === "number" && Number.isFinite(x) && Number.isFinite(y) ? { x, y } : null;
}

/** Options that a node may have beside its config. */
const OPTIONS = ["retry_attempts", "on_error", "continue_on_error"];

function required(value: unknown, path: string, problems: Problems): string {
  if (typeof value === "string" && value !== "") return value;
  problems.add(
    path,
    value === undefined || value === null || value === "" ? "is required" : `must be a string, got ${shown(value)}`,
  );
  return "";
}

/** Reads one node (a block); its kind is found by its type later. */
export function readNode(raw: Fields, path: string, problems: Problems): Omit<GraphNode, "kind"> {
  const config = raw["config"] ?? raw["data"] ?? {};
  if (!isFields(config)) problems.add(`${path}.config`, `must be an object, got ${shown(config)}`);
  const beside = OPTIONS.filter((name) => raw[name] !== undefined && raw[name] !== null);
  return {
    id: required(raw["id"], `${path}.id`, problems),
    type: required(raw["type"], `${path}.type`, problems),
    name: textOf(raw["name"]) ?? textOf(raw["label"]),
    position: positionOf(raw["position"]),
    enabled: raw["enabled"] !== false,
    config: {
      ...Object.fromEntries(beside.map((name) => [name, raw[name]])),
      ...(isFields(config) ? config : {}),
    },
  };
}

/** All nodes of a document. */
export function readNodes(value: unknown, path: string, problems: Problems): readonly Omit<GraphNode, "kind">[] {
  return listOf(value, path, MAX_NODES, problems).map((raw, i) => readNode(raw, `${path}[${i}]`, problems));
}

/** All edges of a document, whichever names their ends have; `condition` is not yet understood. */
export function readEdges(
  value: unknown,
  path: string,
  problems: Problems,
): readonly (GraphEdge & { readonly path: string })[] {
  const raws = listOf(value, path, MAX_EDGES, problems);
  const endNames = path === "edges" && raws.some((raw) => "source" in raw) ? ["source", "target"] : ["from", "to"];
  return raws.map((raw, i) => {
    const at = `${path}[${i}]`;
    const [from = "from", to = "to"] = "source" in raw || "target" in raw ? ["source", "target"] : endNames;
    const condition = raw["condition"] ?? null;
    if (condition !== null && typeof condition !== "string" && typeof condition !== "boolean")
      problems.add(`${at}.condition`, `must be a string, got ${shown(condition)}`);
    return {
      path: at,
      id: textOf(raw["id"]) ?? `edge_${i + 1}`,
      from: required(raw[from], `${at}.${from}`, problems),
      to: required(raw[to], `${at}.${to}`, problems),
      route: null,
      condition: condition === null || typeof condition === "object" ? null : String(condition),
      label: condition === null || typeof condition === "object" ? null : String(condition),
      onError: false,
      sourceHandle: textOf(raw["sourceHandle"]) ?? textOf(raw["handle"]),
      targetHandle: textOf(raw["targetHandle"]),
    };
  });
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const RANGES: Readonly<Record<"timeout" | "retry_attempts" | "parallel_limit", Range>> = {
  timeout: { min: 0.001, max: 2_592_000, whole: false },
  retry_attempts: { min: 0, max: 10, whole: true },
  parallel_limit: { min: 1, max: 100, whole: true },
};

/** The settings of a document, defaults for what it does not say. */
export function readSettings(value: unknown, problems: Problems): GraphSettings {
  if (value !== undefined && value !== null && !isFields(value))
    problems.add("settings", `must be an object, got ${shown(value)}`);
  const given = isFields(value) ? value : {};
  const read = (name: keyof typeof RANGES): number => {
    const found = given[name] ?? DEFAULT_SETTINGS[name];
    const { min, max, whole } = RANGES[name];
    const fits = typeof found === "number" && found >= min && found <= max && (!whole || Number.isInteger(found));
    if (fits) return found;
    problems.add(
      `settings.${name}`,
      `must be ${whole ? "an integer" : "a number"} from ${min} to ${max}, got ${shown(found)}`,
    );
    return DEFAULT_SETTINGS[name];
  };
  const { schedule = null } = given;
  const settings = { timeout: read("timeout"), retry_attempts: read("retry_attempts") };
  const limited = { ...settings, parallel_limit: read("parallel_limit") };
  return schedule === null ? limited : { ...limited, schedule };
}

const FIELD_TYPES: Readonly<Record<string, InputField["type"]>> = {
  text: "text",
  string: "text",
  short_answer: "text",
  long_answer: "text",
  textarea: "text",
  number: "number",
  integer: "number",
  boolean: "boolean",
  checkbox: "boolean",
  select: "select",
  dropdown: "select",
  multiple_choice: "select",
  file: "file",
  file_upload: "file",
  json: "json",
  object: "json",
  array: "json",
};

function fieldType(raw: Fields, at: string, problems: Problems): InputField["type"] {
  const written = raw["type"] ?? raw["variable_type"] ?? "text";
  const type = typeof written === "string" && Object.hasOwn(FIELD_TYPES, written) ? FIELD_TYPES[written] : undefined;
  if (type !== undefined) return type;
  problems.add(`${at}.type`, `must be one of text, number, boolean, select, file, json, got ${shown(written)}`);
  return "text";
}

function fieldOptions(raw: Fields, type: string, at: string, problems: Problems): readonly unknown[] | null {
  const { options = null } = raw;
  if (options !== null && !Array.isArray(options))
    problems.add(`${at}.options`, `must be an array, got ${shown(options)}`);
  const list = Array.isArray(options) ? (options as readonly unknown[]) : null;
  if (type === "select" && (list === null || list.length === 0))
    problems.add(`${at}.options`, "is required for a select");
  return list;
}

function readField(raw: Fields, at: string, problems: Problems): InputField {
  const name = required(raw["name"] ?? raw["variable_name"], `${at}.name`, problems);
  if (UNREACHABLE.has(name)) problems.add(`${at}.name`, `${shown(name)} is reserved`);
  const type = fieldType(raw, at, problems);
  const { default: usual = null } = raw;
  return {
    name,
    type,
    label: textOf(raw["label"]) ?? textOf(raw["display_name"]),
    description: textOf(raw["description"]),
    required: raw["required"] === true,
    ...(usual === null ? {} : { default: usual }),
    options: fieldOptions(raw, type, at, problems),
  };
}

/** Reads the fields that a run is asked for. */
export function readFields(value: unknown, path: string, problems: Problems): readonly InputField[] {
  const fields = listOf(value, path, 200, problems).map((raw, i) => readField(raw, `${path}[${i}]`, problems));
  const names = new Set<string>();
  for (const [i, { name }] of fields.entries()) {
    if (names.has(name)) problems.add(`${path}[${i}].name`, `${shown(name)} is there twice`);
    names.add(name);
  }
  return fields;
}
