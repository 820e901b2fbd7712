import { type AttemptFacts, attemptsOf } from "./attempts.ts";
import { checkPart } from "./check-part.ts";
import { isFinal, nodeFault, toFailure } from "./failure.ts";
import { plain } from "./plain.ts";
import type { Shared } from "./shared.ts";
import { truthy } from "./text.ts";
import type { Edge, GraphPart, Node, Scope, Settled } from "./types.ts";

/** What the nodes of a part see besides each other, and what goes before their ids. */
export interface Surroundings {
  readonly scope: Omit<Scope, "upstream">;
  readonly prefix: string;
}

/** One node on its way: `open` in-edges have not settled. */
interface Progress {
  readonly id: string;
  readonly node: Node;
  readonly out: Edge[];
  open: number;
  isLive: boolean;
  readonly upstream: Record<string, unknown>;
}

/** A node that has a place among those under way. */
interface Work {
  readonly progress: Progress;
  /** Gives the place back, once. */
  readonly release: () => void;
  attempts: number;
  /** Parts that it runs. */
  readonly parts: Schedule[];
}

const bare = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>;

/** Runs the nodes of one part of a graph: each once, when all edges to it have settled and one of them is live. */
export class Schedule {
  readonly #shared: Shared;
  readonly #around: Surroundings;
  readonly #nodes = new Map<string, Progress>();
  readonly #values: Record<string, unknown> = bare();
  readonly #scope: Omit<Scope, "upstream">;
  readonly #skipped: string[] = [];
  readonly #parts = new Set<Schedule>();
  #left: number;
  #isOver = false;
  #resolve: (values: Readonly<Record<string, unknown>>) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(part: GraphPart, shared: Shared, around: Surroundings) {
    checkPart(part);
    this.#shared = shared;
    this.#around = around;
    this.#scope = { ...around.scope, nodes: Object.assign(bare(), around.scope.nodes) };
    for (const id of Object.keys(part.nodes)) {
      const node = part.nodes[id] as Node;
      this.#nodes.set(id, { id, node, out: [], open: 0, isLive: false, upstream: bare() });
    }
    for (const edge of part.edges) {
      this.#nodes.get(edge.from)?.out.push(edge);
      const target = this.#nodes.get(edge.to);
      if (target !== undefined) target.open++;
    }
    this.#left = this.#nodes.size;
  }

  /** Resolves to the values of all nodes that ended well, by id; rejects with the first failure that nobody handled. */
  run(): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const roots = [...this.#nodes.values()].filter(({ open }) => open === 0);
      if (roots.length === 0) this.#end();
      for (const root of roots) this.#queue(root);
    });
  }

  /** Nothing new starts, parts within included, and what is under way is not waited for. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#shared.events.skip(this.#skipped);
    for (const part of this.#parts) part.stop();
  }

  #end(): void {
    if (this.#isOver) return;
    this.stop();
    this.#resolve(this.#values);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.stop();
    this.#reject(error);
  }

  #nameOf({ id }: Progress): string {
    return this.#around.prefix + id;
  }

  #queue(progress: Progress): void {
    this.#shared.slots.take((release) => this.#begin({ progress, release, attempts: 1, parts: [] }));
  }

  #begin(work: Work): void {
    if (this.#isOver) {
      work.release();
      return;
    }
    const { node, upstream } = work.progress;
    this.#shared.events.start(this.#told(work.progress));
    try {
      const begun = attemptsOf(node, { ...this.#scope, upstream }, this.#powersOf(work));
      if (begun instanceof Promise)
        begun.then(
          (settled) => this.#ended(work, settled),
          (thrown: unknown) => this.#threw(work, thrown),
        );
      else this.#ended(work, begun);
    } catch (thrown) {
      this.#threw(work, thrown);
    }
  }

  #ended(work: Work, settled: Settled): void {
    const { progress, attempts } = work;
    try {
      this.#completed(progress, settled, attempts);
    } catch (thrown) {
      this.#failed(progress, thrown, attempts);
    } finally {
      work.release();
    }
  }

  #threw(work: Work, thrown: unknown): void {
    const { progress, attempts } = work;
    for (const part of work.parts) part.stop();
    const recovered = isFinal(thrown) ? undefined : progress.node.recover?.(toFailure(thrown));
    if (recovered !== undefined) {
      this.#ended(work, recovered);
      return;
    }
    try {
      this.#failed(progress, thrown, attempts);
    } finally {
      work.release();
    }
  }

  #told(progress: Progress): { readonly node_id: string; readonly node_type: string; readonly kind: string } {
    const { type, kind } = progress.node;
    return { node_id: this.#nameOf(progress), node_type: type, kind };
  }

  /** What the attempts of a node may use; its place is given back while parts of it run. */
  #powersOf(work: Work): AttemptFacts {
    const id = this.#nameOf(work.progress);
    return {
      id,
      shared: this.#shared,
      begins: (attempt) => {
        work.attempts = attempt;
      },
      part: (part, prefix) => {
        work.release();
        const own = prefix === null ? this.#around.prefix : `${id}/${prefix}`;
        const schedule = new Schedule(part, this.#shared, { scope: this.#scope, prefix: own });
        work.parts.push(schedule);
        this.#parts.add(schedule);
        const values = schedule.run().then((found) => {
          this.#parts.delete(schedule);
          if (prefix === null) Object.assign(this.#scope.nodes, found);
          return found;
        });
        return { values, stop: () => schedule.stop() };
      },
    };
  }

  #completed(progress: Progress, { value, route }: Settled, attempts: number): void {
    if (this.#isOver) return;
    const { id } = progress;
    const { json, value: kept } = plain(value);
    this.#keep(id, kept);
    const live = progress.out.map((edge) => this.#isLive(edge, id, kept, route));
    this.#values[id] = kept;
    this.#shared.events.complete(this.#told(progress), { attempts, route, json });
    this.#settle(progress, live, kept);
  }

  #isLive({ onError, route: wanted, when }: Edge, id: string, value: unknown, route: string | undefined): boolean {
    if (onError === true) return false;
    if (wanted !== undefined) return wanted === route;
    if (when === undefined) return true;
    return truthy(when({ ...this.#scope, upstream: { [id]: value } }));
  }

  #failed(progress: Progress, thrown: unknown, attempts: number): void {
    if (this.#isOver) return;
    const { id, node, out } = progress;
    const name = this.#nameOf(progress);
    const isCaught = out.some((edge) => edge.onError === true);
    const handled = !isFinal(thrown) && (isCaught || node.onError === "continue");
    const error = toFailure(thrown);
    const value = { error: { message: error.message } };
    this.#keep(id, value);
    const live = handled ? this.#liveAfter(out, id, value) : null;
    this.#shared.events.error(this.#told(progress), { attempts, error, handled: live !== null });
    if (live === null) {
      this.#fail(isFinal(thrown) ? thrown : nodeFault(name, attempts, thrown));
      return;
    }
    if (!isCaught) this.#values[id] = value;
    this.#settle(progress, live, value);
  }

  /** Edges of a node that may fail and has; null where they cannot be told either, so that nobody handles the failure. */
  #liveAfter(out: readonly Edge[], id: string, value: unknown): readonly boolean[] | null {
    if (out.some((edge) => edge.onError === true)) return out.map((edge) => edge.onError === true);
    try {
      return out.map((edge) => this.#isLive(edge, id, value, undefined));
    } catch {
      return null;
    }
  }

  #keep(id: string, value: unknown): void {
    (this.#scope.nodes as Record<string, unknown>)[id] = value;
  }

  /** A node has settled, and with it its edges; nodes that no live edge leads to settle at once, as skipped. A list instead of recursion: chains may be long. */
  #settle(first: Progress, firstLive: readonly boolean[], value: unknown): void {
    const settled: { readonly progress: Progress; readonly live: readonly boolean[] }[] = [
      { progress: first, live: firstLive },
    ];
    for (let at = 0; at < settled.length; at++) {
      const { progress, live } = settled[at] as (typeof settled)[number];
      this.#left--;
      progress.out.forEach((edge, i) => {
        const target = this.#nodes.get(edge.to) as Progress;
        target.open--;
        if (live[i] === true) {
          target.isLive = true;
          target.upstream[progress.id] = value;
        }
        if (target.open > 0) return;
        if (target.isLive) this.#queue(target);
        else {
          this.#skipped.push(this.#nameOf(target));
          settled.push({ progress: target, live: [] });
        }
      });
    }
    if (this.#left === 0) this.#end();
  }
}
