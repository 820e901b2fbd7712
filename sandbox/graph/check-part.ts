import { nodeError } from "./failure.ts";
import type { GraphPart } from "./types.ts";

/** Refuses a part whose nodes would wait for each other, or for a node that is not there. */
export function checkPart({ nodes, edges }: GraphPart): void {
  const open = new Map(Object.keys(nodes).map((id) => [id, 0]));
  const next = new Map(Object.keys(nodes).map((id) => [id, [] as string[]]));
  for (const { from, to } of edges) {
    const missing = [from, to].find((id) => !open.has(id));
    if (missing !== undefined) {
      const message = `edges: ${from} -> ${to} names the node ${missing}, which the graph does not have`;
      throw nodeError("INVALID_ARGUMENT", message, { field: "edges", value: missing });
    }
    open.set(to, (open.get(to) ?? 0) + 1);
    next.get(from)?.push(to);
  }
  const settled = [...open.keys()].filter((id) => open.get(id) === 0);
  for (let at = 0; at < settled.length; at++) {
    for (const id of next.get(settled[at] as string) ?? []) {
      const left = (open.get(id) ?? 0) - 1;
      open.set(id, left);
      if (left === 0) settled.push(id);
    }
  }
  const stuck = [...open.keys()].filter((id) => (open.get(id) ?? 0) > 0);
  if (stuck.length === 0) return;
  const message = `edges: the nodes ${stuck.slice(0, 10).join(", ")} are on a cycle, or behind one`;
  throw nodeError("INVALID_ARGUMENT", message, { field: "edges", value: stuck.slice(0, 10) });
}
