import type { Graph, GraphNode } from "../../graph/types.ts";
import type { NodeEvent, NodeState } from "./node-states.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What was said of nodes is guest text: anything may stand in it. */
const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const textOf = (value: unknown, usual = ""): string => (typeof value === "string" ? value : usual);
const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

/** Nodes that one run may tell of. */
const MAX_NODES = 10_000;
/** The longest time that a Date can hold, ms since the epoch. */
const MAX_TIME = 8.64e15;

type Told = Omit<NodeState, "input" | "promptTokens" | "completionTokens" | "costUsd" | "files">;

/** A chunk, as far as nodes are told of by it. */
export interface ToldChunk {
  /** JSON text. */
  readonly type: string;
  readonly content: string;
}

/** Puts together what a run tells of its nodes. */
export class NodeLog {
  readonly #nodes = new Map<string, Told>();
  readonly #skipped: string[] = [];
  readonly #parts = new Map<string, string[]>();
  readonly #known: ReadonlyMap<string, GraphNode>;

  constructor(graph: Graph | null) {
    this.#known = new Map(graph?.nodes.map((node) => [node.id, node]) ?? []);
  }

  /** What a chunk says; null for one that says nothing of nodes. */
  add({ type, content }: ToldChunk): NodeEvent<Told> | null {
    if (!type.startsWith('"node_')) return null;
    const fields = fieldsOf(JSON.parse(content));
    const id = textOf(fields["node_id"]);
    switch (type) {
      case '"node_start"':
        return this.#started(id, fields);
      case '"node_chunk"':
        return { type: "chunk", nodeId: id, nodeType: this.#nodes.get(id)?.type ?? "", text: textOf(fields["chunk"]) };
      case '"node_output"':
        this.#part(id, fields);
        return null;
      case '"node_complete"':
        return this.#completed(id, fields);
      case '"node_error"':
        return this.#failed(id, fields);
      case '"node_skip"':
        return this.#skip(fields);
      default:
        return null;
    }
  }

  #started(id: string, fields: Fields): NodeEvent<Told> | null {
    if (this.#nodes.size >= MAX_NODES) return null;
    const node: Told = {
      nodeId: id,
      type: textOf(fields["node_type"]),
      kind: textOf(fields["kind"]),
      name: this.#known.get(id)?.name ?? null,
      status: "running",
      startedAt: timeOf(fields),
      finishedAt: null,
      output: null,
      route: null,
      error: null,
      handled: false,
      attempts: 1,
    };
    this.#nodes.set(id, node);
    return { type: "start", node };
  }

  #part(id: string, fields: Fields): void {
    const parts = this.#parts.get(id) ?? [];
    if (fields["part"] === 0) parts.length = 0;
    parts.push(textOf(fields["text"]));
    this.#parts.set(id, parts);
  }

  #output(id: string, fields: Fields): unknown {
    if (fields["parts"] === undefined) return fields["output"] ?? null;
    try {
      return JSON.parse((this.#parts.get(id) ?? []).join(""));
    } catch {
      return null;
    } finally {
      this.#parts.delete(id);
    }
  }

  #settled(id: string, fields: Fields, changes: Partial<Told>): Told | null {
    const node = this.#nodes.get(id);
    if (node === undefined) return null;
    const attempts = numberOf(fields["attempts"]) ?? node.attempts;
    const settled = { ...node, ...changes, attempts, finishedAt: timeOf(fields) };
    this.#nodes.set(id, settled);
    return settled;
  }

  #completed(id: string, fields: Fields): NodeEvent<Told> | null {
    const { route } = fields;
    const output = this.#output(id, fields);
    const changes = { status: "completed", output, route: typeof route === "string" ? route : null } as const;
    const node = this.#settled(id, fields, changes);
    return node === null ? null : { type: "complete", node };
  }

  #failed(id: string, fields: Fields): NodeEvent<Told> | null {
    const { message, code } = fieldsOf(fields["error"]);
    const error = { message: textOf(message, "The node failed."), code: typeof code === "string" ? code : null };
    const handled = fields["handled"] === true;
    const output = handled ? { error: { message: error.message } } : null;
    const node = this.#settled(id, fields, { status: "failed", error, handled, output });
    return node === null ? null : { type: "error", node };
  }

  #skip(fields: Fields): NodeEvent<Told> {
    const ids = Array.isArray(fields["node_ids"]) ? fields["node_ids"].filter((id) => typeof id === "string") : [];
    for (const id of ids) if (this.#skipped.length < MAX_NODES) this.#skipped.push(id);
    return { type: "skip", nodeIds: ids };
  }

  /** All nodes told of, in the order in which they started, and those that were skipped. `isOver`: nothing runs any more. */
  states(isOver: boolean): readonly Told[] {
    const ended = (node: Told): Told => (isOver && node.status === "running" ? { ...node, status: "cancelled" } : node);
    return [...[...this.#nodes.values()].map(ended), ...this.#skipped.map((id) => this.#skippedState(id))];
  }

  #skippedState(id: string): Told {
    const known = this.#known.get(id);
    return {
      ...{ nodeId: id, type: known?.type ?? "", kind: known?.kind ?? "", name: known?.name ?? null },
      ...{ status: "skipped", startedAt: null, finishedAt: null, output: null, route: null, error: null },
      ...{ handled: false, attempts: 0 },
    };
  }
}

const timeOf = (fields: Fields): number | null => {
  const at = numberOf(fields["at"]);
  return at === null || Math.abs(at) > MAX_TIME ? null : at;
};
