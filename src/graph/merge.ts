import { isDeepStrictEqual } from "node:util";
import { isFields } from "./dialects/read.ts";
import type { DocumentParts } from "./to-document.ts";
import type { Fields } from "./types.ts";

/** An update of a document: what is absent stays. */
export interface DocumentPatch {
  /** By id; `config` is merged member by member, `_delete: true` removes. */
  readonly nodes?: readonly Fields[];
  /** By id, else by their two ends. */
  readonly edges?: readonly Fields[];
  readonly settings?: Fields;
  /** True: nodes and edges that are not named are gone. */
  readonly replace?: boolean;
}

const ends = (edge: Fields): readonly [unknown, unknown] => [
  edge["from"] ?? edge["source"],
  edge["to"] ?? edge["target"],
];
const isGone = (one: Fields): boolean => one["_delete"] === true;

function mergedNode(known: Fields | undefined, patch: Fields): Fields {
  if (known === undefined) return patch;
  const config = isFields(known["config"]) ? known["config"] : {};
  const changed = isFields(patch["config"]) ? patch["config"] : {};
  return { ...known, ...patch, config: { ...config, ...changed } };
}

function mergeNodes(known: readonly Fields[], patches: readonly Fields[], replace: boolean): readonly Fields[] {
  const byId = new Map(patches.map((patch) => [patch["id"], patch]));
  const kept = known.filter(({ id }) => byId.has(id) || !replace).filter(({ id }) => !isGone(byId.get(id) ?? {}));
  const changed = kept.map((node) => mergedNode(node, byId.get(node["id"]) ?? {}));
  const ids = new Set(known.map(({ id }) => id));
  return [...changed, ...patches.filter((patch) => !ids.has(patch["id"]) && !isGone(patch))];
}

const isSameEdge = (a: Fields, b: Fields): boolean =>
  b["id"] === undefined ? isDeepStrictEqual(ends(a), ends(b)) : a["id"] === b["id"];

function mergeEdges(known: readonly Fields[], patches: readonly Fields[], replace: boolean): readonly Fields[] {
  const patchOf = (edge: Fields) => patches.find((patch) => isSameEdge(edge, patch));
  const kept = known.filter((edge) => {
    const patch = patchOf(edge);
    return patch === undefined ? !replace : !isGone(patch);
  });
  const added = patches.filter((patch) => !isGone(patch) && !known.some((edge) => isSameEdge(edge, patch)));
  return [...kept.map((edge) => ({ ...edge, ...patchOf(edge) })), ...added];
}

/** Merges an update into a document; edges of removed nodes go with them. */
export function mergeDocument(known: DocumentParts, patch: DocumentPatch): DocumentParts {
  const { replace = false } = patch;
  const nodes = patch.nodes === undefined ? known.nodes : mergeNodes(known.nodes, patch.nodes, replace);
  const edges = patch.edges === undefined ? known.edges : mergeEdges(known.edges, patch.edges, replace);
  const before = new Set(known.nodes.map(({ id }) => id));
  const after = new Set(nodes.map(({ id }) => id));
  const isDangling = (end: unknown) => before.has(end) && !after.has(end);
  return {
    nodes,
    edges: edges.filter((edge) => !ends(edge).some(isDangling)),
    settings: { ...known.settings, ...patch.settings },
  };
}

function nodeChange(before: Fields, after: Fields): string | null {
  const [old, now] = [before["config"], after["config"]].map((config) => (isFields(config) ? config : {})) as [
    Fields,
    Fields,
  ];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  const changed = [...names].filter((name) => !isDeepStrictEqual(old[name], now[name]));
  const id = String(after["id"]);
  if (changed.includes("prompt")) return `Updated ${id} prompt`;
  if (changed.length === 1) return `Updated ${id} ${changed[0]}`;
  const { config: _old, position: _from, ...rest } = before;
  const { config: _now, position: _to, ...others } = after;
  const isOther = changed.length > 1 || !isDeepStrictEqual(rest, others);
  return isOther ? `Updated ${id} configuration` : null;
}

function nodeChanges(before: DocumentParts, after: DocumentParts): readonly string[] {
  const old = new Map(before.nodes.map((node) => [node["id"], node]));
  const now = new Set(after.nodes.map(({ id }) => id));
  const kept = after.nodes.flatMap((node) => {
    const known = old.get(node["id"]);
    return known === undefined ? [`Added node ${String(node["id"])}`] : (nodeChange(known, node) ?? []);
  });
  return [...kept, ...before.nodes.filter(({ id }) => !now.has(id)).map(({ id }) => `Removed node ${String(id)}`)];
}

function edgeChanges(before: DocumentParts, after: DocumentParts): readonly string[] {
  const named = (edge: Fields) => ends(edge).map(String).join(" -> ");
  const find = (edges: readonly Fields[], edge: Fields) => edges.find((one) => isSameEdge(one, edge));
  const kept = after.edges.flatMap((edge) => {
    const known = find(before.edges, edge);
    if (known === undefined) return [`Added edge ${named(edge)}`];
    return isDeepStrictEqual(known, edge) ? [] : [`Updated edge ${named(edge)}`];
  });
  const gone = before.edges.filter((edge) => find(after.edges, edge) === undefined);
  return [...kept, ...gone.map((edge) => `Removed edge ${named(edge)}`)];
}

const SETTINGS: readonly (readonly [name: string, words: string, unit: string])[] = [
  ["timeout", "timeout", "s"],
  ["retry_attempts", "retry attempts", ""],
  ["parallel_limit", "parallel limit", ""],
];

function settingChanges(before: DocumentParts, after: DocumentParts): readonly string[] {
  return SETTINGS.flatMap(([name, words, unit]) => {
    const [old, now] = [before.settings[name], after.settings[name]];
    if (typeof old !== "number" || typeof now !== "number" || old === now) return [];
    return [`${now > old ? "Increased" : "Decreased"} ${words} to ${now}${unit}`];
  });
}

/** What an update changed, in sentences: nodes, edges, settings. */
export function changesOf(before: DocumentParts, after: DocumentParts): readonly string[] {
  return [...nodeChanges(before, after), ...edgeChanges(before, after), ...settingChanges(before, after)];
}
