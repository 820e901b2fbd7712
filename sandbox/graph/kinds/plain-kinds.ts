import { gathered, truthy } from "../text.ts";
import type { Compute, Node, NodeOptions } from "../types.ts";
import { makeNode } from "./options.ts";

/** Alone, or as the `output` of an object. */
export type ValueShape = "value" | "output";

const shaped = (shape: ValueShape, value: unknown): unknown =>
  shape === "output" ? { output: value ?? null } : (value ?? null);

/** Where a run begins: its value is the input. */
export function entry(options: NodeOptions & { readonly shape: ValueShape; readonly defaults?: object }): Node {
  return makeNode("entry", options, {
    run: ({ input }) => {
      const { defaults } = options;
      const isMap = input === null || (typeof input === "object" && !Array.isArray(input));
      return { value: shaped(options.shape, defaults !== undefined && isMap ? { ...defaults, ...input } : input) };
    },
  });
}

/** A script of the graph's author. `args`: what it sees, beside `files` and `log` of ctx. */
export function code(
  options: NodeOptions & {
    readonly run: (args: never) => unknown;
    readonly args: Compute<object>;
    readonly shape: ValueShape;
  },
): Node {
  const run = options.run as (args: object) => unknown;
  return makeNode("code", options, {
    run(scope, { ctx }) {
      const value = run({ ...options.args(scope), files: ctx["files"], log: ctx["log"] });
      const isLater =
        typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
      if (!isLater) return { value: shaped(options.shape, value) };
      return Promise.resolve(value).then((found) => ({ value: shaped(options.shape, found) }));
    },
  });
}

/** A test: its value is true or false, and so is its route. */
export function condition(options: NodeOptions & { readonly test: Compute }): Node {
  return makeNode("condition", options, {
    run(scope) {
      const value = truthy(options.test(scope));
      return { value, route: String(value) };
    },
  });
}

/** Takes the route of the first case that holds, else `otherwise`. `matched`: `{ matched, branch }`; `route`: `{ output, result, route }`. */
export function choose(
  options: NodeOptions & {
    readonly cases: readonly { readonly when: Compute; readonly route: string }[];
    readonly otherwise: string | null;
    readonly shape: "matched" | "route";
  },
): Node {
  return makeNode("switch", options, {
    run(scope) {
      const found = options.cases.find(({ when }) => truthy(when(scope)));
      const matched = found !== undefined;
      const route = found?.route ?? options.otherwise;
      const value =
        options.shape === "matched" ? { matched, branch: route } : { output: matched, result: matched, route };
      return route === null ? { value } : { value, route };
    },
  });
}

/** Passes on what comes before it. */
export function pass(options: NodeOptions & { readonly shape: ValueShape; readonly value?: Compute }): Node {
  return makeNode("pass", options, {
    run: (scope) => ({ value: shaped(options.shape, options.value?.(scope) ?? gathered(scope.upstream)) }),
  });
}

/** What a run ends with. */
export function output(options: NodeOptions & { readonly render: Compute }): Node {
  return makeNode("output", options, { run: (scope) => ({ value: options.render(scope) ?? null }) });
}
