import { RESERVED } from "./names.ts";
import { type Problems, shown } from "./problems.ts";
import type { GraphPart } from "./types.ts";

/** Characters of a node's id. */
const MAX_ID = 100;
const ID = /^[^\p{Cc}/<>{}]+$/u;
/** Ids that a cycle is shown with. */
const MAX_SHOWN = 20;

/** Where the lists of a part are in its document. */
export interface Places {
  readonly nodes: string;
  readonly edges: string;
}

function checkIds({ nodes }: GraphPart, places: Places, problems: Problems): void {
  const seen = new Set<string>();
  for (const [i, { id, kind }] of nodes.entries()) {
    const path = `${places.nodes}[${i}].id`;
    if (id === "") continue;
    if (id.length > MAX_ID) problems.add(path, `may have ${MAX_ID} characters, got ${id.length}`);
    if (!ID.test(id)) problems.add(path, `${shown(id)} has a character that ids cannot have`);
    if (RESERVED.has(id) && !(id === "input" && kind === "entry")) problems.add(path, `${shown(id)} is reserved`);
    if (seen.has(id)) problems.add(path, `${shown(id)} is there twice`);
    seen.add(id);
  }
}

/** Ids of nodes that no order exists for; none in a graph without cycles. */
function unordered({ nodes, edges }: GraphPart): readonly string[] {
  const open = new Map(nodes.map(({ id }) => [id, 0]));
  const after = new Map<string, string[]>();
  for (const { from, to } of edges) {
    if (!open.has(from) || !open.has(to)) continue;
    open.set(to, (open.get(to) ?? 0) + 1);
    after.set(from, [...(after.get(from) ?? []), to]);
  }
  const ready = [...open].filter(([, count]) => count === 0).map(([id]) => id);
  for (let at = 0; at < ready.length; at++) {
    const id = ready[at] as string;
    open.delete(id);
    for (const next of after.get(id) ?? []) {
      const count = (open.get(next) ?? 0) - 1;
      open.set(next, count);
      if (count === 0) ready.push(next);
    }
  }
  return [...open.keys()];
}

/** The nodes of one cycle among nodes that have no order, in the order of its edges. */
function cycleAmong(ids: readonly string[], { edges }: GraphPart): readonly string[] {
  const left = new Set(ids);
  const before = new Map<string, string>();
  for (const { from, to } of edges) if (left.has(from) && left.has(to)) before.set(to, from);
  const path: string[] = [];
  const at = new Map<string, number>();
  for (let id = ids[0]; id !== undefined; id = before.get(id)) {
    const first = at.get(id);
    if (first !== undefined) return path.slice(first).reverse();
    at.set(id, path.length);
    path.push(id);
  }
  return path;
}

function checkOrder(part: GraphPart, places: Places, problems: Problems): void {
  const left = unordered(part);
  if (left.length === 0) return;
  const cycle = cycleAmong(left, part);
  const shownIds = cycle.slice(0, MAX_SHOWN);
  const more = cycle.length > MAX_SHOWN ? ` … (${cycle.length} nodes)` : "";
  problems.add(places.edges, `form a cycle: ${[...shownIds, shownIds[0]].join(" -> ")}${more}`);
}

/** Checks ids and order of nodes and edges. */
export function checkPart(part: GraphPart, places: Places, problems: Problems): void {
  checkIds(part, places, problems);
  checkOrder(part, places, problems);
}

/** What is legal and perhaps not meant. */
export function warnOf({ nodes, edges }: GraphPart, places: Places, problems: Problems): void {
  if (nodes.length < 2) return;
  const joined = new Set(edges.flatMap(({ from, to }) => [from, to]));
  for (const [i, { id }] of nodes.entries()) {
    if (!joined.has(id))
      problems.warn(`${places.nodes}[${i}]`, `${shown(id)} is connected to nothing; it runs all the same`);
  }
}
