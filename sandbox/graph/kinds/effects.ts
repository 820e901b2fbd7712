import { toFailure } from "../failure.ts";
import { gathered } from "../text.ts";
import type { Compute, GraphPart, Node, NodeOptions, NodeRun } from "../types.ts";
import { isFields, makeNode } from "./options.ts";
import type { ValueShape } from "./plain-kinds.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Datastores {
  search(
    store: string,
    params: object,
  ): Promise<readonly { readonly id: string; readonly data: Fields; readonly score: number }[]>;
}

const CONTENT = ["content", "text", "body", "chunk"];

function contentOf(data: Fields): string {
  const name = CONTENT.find((one) => typeof data[one] === "string");
  return name === undefined ? JSON.stringify(data) : String(data[name]);
}

type Found = {
  readonly memory_id: string;
  readonly content: string;
  readonly similarity_score: number;
  readonly metadata?: Fields;
};

/** Newest first, by whichever member of the metadata says when. */
function byTime({ metadata: a }: Found, { metadata: b }: Found): number {
  const time = (data: Fields | undefined) => String(data?.["created_at"] ?? data?.["timestamp"] ?? "");
  const [first, second] = [time(a), time(b)];
  return first < second ? 1 : first > second ? -1 : 0;
}

/** Records of a datastore that fit a question: a list of `{ memory_id, content, similarity_score, metadata }`. */
export function memory(
  options: NodeOptions & {
    readonly datastore: string;
    readonly search: Compute<object>;
    readonly threshold: number;
    readonly includeMetadata: boolean;
    readonly sortBy: "similarity" | "time";
    readonly shape: ValueShape;
  },
): Node {
  return makeNode("memory", options, {
    repeats: true,
    async run(scope, node) {
      const { search } = node.ctx["datastore"] as Datastores;
      const hits = await node.call(() => search(options.datastore, options.search(scope)));
      const near = hits
        .filter(({ score }) => score >= options.threshold)
        .map(
          ({ id, data, score }): Found => ({
            memory_id: id,
            content: contentOf(data),
            similarity_score: score,
            metadata: data,
          }),
        );
      const sorted = options.sortBy === "time" ? near.toSorted(byTime) : near;
      const found = options.includeMetadata ? sorted : sorted.map(({ metadata: _data, ...rest }) => rest);
      return { value: options.shape === "output" ? { output: found } : found };
    },
  });
}

interface Workflows {
  readonly completions: { create(params: object): Promise<{ readonly output: unknown }> };
}

/** Another workflow. `value`: its output; `output`: `{ output, status }`. */
export function subflow(
  options: NodeOptions & { readonly workflow: Compute; readonly input: Compute; readonly shape: ValueShape },
): Node {
  return makeNode("subflow", options, {
    async run(scope, node) {
      const ref = String(options.workflow(scope) ?? "");
      const model = ref.startsWith("workflow:") ? ref : `workflow:${ref}`;
      const { completions } = node.ctx["workflow"] as Workflows;
      const { output } = await node.call(() => completions.create({ model, input: options.input(scope) ?? {} }));
      return { value: options.shape === "output" ? { output, status: "completed" } : output };
    },
  });
}

interface Person {
  approve(question: object): Promise<unknown>;
}

/** Asks a person. Routes `approved` and `rejected` (nobody answered in time is rejected too). */
export function approve(
  options: NodeOptions & { readonly question: Compute<object>; readonly shape: ValueShape },
): Node {
  return makeNode("approval", options, {
    async run(scope, node) {
      const { approve: ask } = node.ctx as NodeRun["ctx"] & Person;
      const decision = await node.call(() => ask(options.question(scope)));
      const value = isFields(decision) ? decision : { approved: false, timed_out: true };
      const route = value["approved"] === true ? "approved" : "rejected";
      return { value: options.shape === "output" ? { output: value } : value, route };
    },
  });
}

/** Waits; a long wait uses no memory. */
export function delay(options: NodeOptions & { readonly duration: Compute; readonly shape: ValueShape }): Node {
  return makeNode("delay", options, {
    async run(scope, node) {
      const { sleep } = node.ctx as NodeRun["ctx"] & { sleep(duration: unknown): Promise<void> };
      await node.call(() => sleep(options.duration(scope)));
      const value = gathered(scope.upstream);
      return { value: options.shape === "output" ? { output: value } : value };
    },
  });
}

/** A branch of a parallel node: part of a graph, its nodes under the branch's name or (`owned`) their own. */
export interface Branch extends GraphPart {
  readonly owned?: true;
}

function branchValue({ nodes, edges }: GraphPart, values: Fields): unknown {
  const last = Object.keys(nodes).filter((id) => Object.hasOwn(values, id) && !edges.some((edge) => edge.from === id));
  if (last.length === 1) return values[last[0] as string];
  return Object.fromEntries(last.map((id) => [id, values[id]]));
}

/** Branches side by side: an object of their values. `isLenient`: a branch that fails has `{ error: { message } }` and the others go on. */
export function parallel(
  options: NodeOptions & {
    readonly branches: Readonly<Record<string, Branch>>;
    readonly isLenient: boolean;
    readonly shape: ValueShape;
  },
): Node {
  return makeNode("parallel", options, {
    async run(_scope, node) {
      const names = Object.keys(options.branches);
      const begun = names.map((name) => {
        const branch = options.branches[name] as Branch;
        const { values, stop } = node.part(branch, branch.owned === true ? null : `${name}/`);
        return { stop, value: values.then((found) => branchValue(branch, found)) };
      });
      const settled = options.isLenient
        ? begun.map(({ value }) =>
            value.catch((thrown: unknown) => ({ error: { message: toFailure(thrown).message } })),
          )
        : begun.map(({ value }) => value);
      try {
        const values = await Promise.all(settled);
        const value = Object.fromEntries(names.map((name, i) => [name, values[i]]));
        return { value: options.shape === "output" ? { output: value } : value };
      } catch (thrown) {
        for (const { stop } of begun) stop();
        throw thrown;
      }
    },
  });
}
