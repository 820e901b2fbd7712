import { toFailure } from "../failure.ts";
import type { GraphPart, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";
import type { ValueShape } from "./shape.ts";

type Fields = Readonly<Record<string, unknown>>;

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
