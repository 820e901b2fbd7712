import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineGraph } from "../../../sandbox/graph/define-graph.ts";
import { parallel } from "../../../sandbox/graph/kinds/parallel.ts";
import type { Edge, GraphPart, GraphSpec, Node } from "../../../sandbox/graph/types.ts";

/** The door of a bundle, as far as the scheduler needs one outside of an isolate. */
class Fault extends Error {
  readonly code: string;
  readonly details: object;
  constructor(message: string, { code = "", details = {} }: { code?: string; details?: object } = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

beforeAll(() => {
  const fault = (message: string, details: object) => new Fault(message, { code: "NODE_EXECUTION_FAILED", details });
  const door = {
    errors: { WorkflowError: Fault, HttpError: Fault },
    node: (_: string, begin: () => unknown) => begin(),
  };
  Object.assign(globalThis, { weft: { ...door, now: () => 0, fault } });
});
afterAll(() => Reflect.deleteProperty(globalThis, "weft"));

interface Told {
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
}

async function play(spec: Partial<GraphSpec> & GraphPart) {
  const told: Told[] = [];
  const ctx = {
    input: null,
    messages: [],
    params: {},
    metadata: {},
    env: {},
    secrets: {},
    session_id: "",
    emit: (type: string, content: Told["content"]) => told.push({ type, content }),
    sleep: async () => undefined,
    remaining_ms: () => 60_000,
  };
  const whole: GraphSpec = { parallelLimit: 5, retries: 3, result: "nodes", ...spec };
  const result = await defineGraph(whole)(ctx).then(
    (values) => ({ values: values as Readonly<Record<string, unknown>>, error: null }),
    (error: unknown) => ({ values: null, error: error as Fault }),
  );
  return { ...result, told };
}

const idsOf = (told: readonly Told[], type: string) =>
  told
    .filter((one) => one.type === type)
    .flatMap(({ content }) => (content["node_ids"] ?? content["node_id"]) as string);

const node = (run: Node["run"], more: Partial<Node> = {}): Node => ({
  type: "t",
  kind: "t",
  repeats: false,
  run,
  ...more,
});

/** Numbers that a seed decides. */
function seeded(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const pause = async (turns: number) => {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
};

interface Running {
  now: number;
  most: number;
}

type Fate = "well" | "fails" | "continues" | "caught" | "again";

interface Drawn extends GraphPart {
  readonly fates: ReadonlyMap<string, Fate>;
}

const FATES: readonly Fate[] = ["well", "well", "well", "well", "continues", "caught", "again", "fails"];

function draw(seed: number, running: Running): Drawn {
  const below = seeded(seed);
  const ids = Array.from({ length: 1 + below(14) }, (_, i) => `n${i}`);
  const fates = new Map(
    ids.map((id) => [id, FATES[below(seed % 3 === 0 ? FATES.length : FATES.length - 1)] ?? "well"]),
  );
  const nodes: Record<string, Node> = {};
  const edges: Edge[] = [];
  ids.forEach((id, i) => {
    const turns = below(6);
    const fate = fates.get(id) ?? "well";
    nodes[id] = node(
      (_, { attempt }) => {
        const act = () => {
          if (fate !== "well" && (fate !== "again" || attempt < 3))
            throw new Fault("no", { code: "UPSTREAM_FAILED", details: { status: 503 } });
          return { value: id, route: "yes" };
        };
        if (turns === 0 && fate !== "again") return act();
        running.now++;
        running.most = Math.max(running.most, running.now);
        return pause(turns).then(() => {
          running.now--;
          return act();
        });
      },
      { repeats: fate === "again", ...(fate === "continues" ? { onError: "continue" } : {}) },
    );
    for (let from = 0; from < i; from++) {
      if (below(4) !== 0) continue;
      const kinds: readonly Partial<Edge>[] = [
        {},
        { when: () => true },
        { when: () => false },
        { route: "yes" },
        { route: "no" },
      ];
      edges.push({ from: `n${from}`, to: id, ...kinds[below(kinds.length)] });
    }
    if (fate === "caught") {
      edges.push({ from: id, to: `${id}-handler`, onError: true });
      nodes[`${id}-handler`] = node(() => ({ value: "handled" }));
    }
  });
  return { nodes, edges, fates };
}

/** Who runs, worked out without a schedule: nodes are in an order in which sources come first. */
function expected({ nodes, edges, fates }: Drawn): { readonly run: Set<string>; readonly fails: boolean } {
  const run = new Set<string>();
  const order = [
    ...Object.keys(nodes).filter((id) => fates.has(id)),
    ...Object.keys(nodes).filter((id) => !fates.has(id)),
  ];
  for (const id of order) {
    const into = edges.filter((edge) => edge.to === id);
    const live = into.filter(({ from, onError, route, when }) => {
      const fate = fates.get(from);
      if (!run.has(from)) return false;
      if (fate === "caught" || onError === true) return fate === "caught" && onError === true;
      if (route !== undefined) return fate !== "continues" && route === "yes";
      return when === undefined || when({} as never) === true;
    });
    if (into.length === 0 || live.length > 0) run.add(id);
  }
  return { run, fails: [...run].some((id) => fates.get(id) === "fails") };
}

test.each([1, 2, 5])("random graphs: each node settles exactly once, never more than %i under way", async (limit) => {
  let failed = 0;
  for (let seed = 0; seed < 600; seed++) {
    const running: Running = { now: 0, most: 0 };
    const drawn = draw(seed, running);
    const { run, fails } = expected(drawn);
    const { values, error, told } = await play({ ...drawn, parallelLimit: limit });
    const started = idsOf(told, "node_start");
    expect(new Set(started).size, `seed ${seed}`).toBe(started.length);
    expect(running.most, `seed ${seed}`).toBeLessThanOrEqual(limit);
    if (fails) {
      failed++;
      expect(drawn.fates.get((error as unknown as { details: { node_id: string } }).details.node_id)).toBe("fails");
      continue;
    }
    expect(error, `seed ${seed}`).toBeNull();
    const completed = [...run].filter((id) => drawn.fates.get(id) !== "caught");
    expect(Object.keys(values ?? {}).sort(), `seed ${seed}`).toEqual(completed.sort());
    const skipped = Object.keys(drawn.nodes).filter((id) => !run.has(id));
    expect(idsOf(told, "node_skip").sort(), `seed ${seed}`).toEqual(skipped.sort());
    expect(started.toSorted(), `seed ${seed}`).toEqual([...run].sort());
  }
  expect(failed).toBeGreaterThan(20);
});

describe("a schedule", () => {
  test("gets through a chain of 2,000 nodes that are all left out", async () => {
    const ids = Array.from({ length: 2_000 }, (_, i) => `n${i}`);
    const nodes = Object.fromEntries(ids.map((id) => [id, node(() => ({ value: id }))]));
    const edges = ids.slice(1).map((to, i): Edge => ({ from: `n${i}`, to, ...(i === 0 ? { when: () => false } : {}) }));
    const { values, told } = await play({ nodes, edges });
    expect(values).toEqual({ n0: "n0" });
    expect(idsOf(told, "node_skip")).toHaveLength(1_999);
  });

  test("has one limit for nested parallel nodes, and finishes them with a limit of 1", async () => {
    const running: Running = { now: 0, most: 0 };
    const leaf = () =>
      node(async () => {
        running.most = Math.max(running.most, ++running.now);
        await pause(3);
        running.now--;
        return { value: 1 };
      });
    const branch = (one: Node) => ({ nodes: { leaf: one }, edges: [] });
    const around = (one: () => Node) =>
      parallel({ type: "p", isLenient: false, shape: "value", branches: { a: branch(one()), b: branch(one()) } });
    const { values, told } = await play({ parallelLimit: 1, nodes: { top: around(() => around(leaf)) }, edges: [] });
    expect(values).toEqual({ top: { a: { a: 1, b: 1 }, b: { a: 1, b: 1 } } });
    expect(running.most).toBe(1);
    expect(idsOf(told, "node_start")).toContain("top/a/leaf/b/leaf");
  });

  test("starts nothing more within a parallel node that has failed, however deep", async () => {
    let later = 0;
    const chain: GraphPart = {
      nodes: {
        wait: node(() => pause(20).then(() => ({ value: 1 }))),
        after: node(() => ({ value: ++later })),
      },
      edges: [{ from: "wait", to: "after" }],
    };
    const fails: GraphPart = {
      nodes: { bad: node(() => pause(2).then(() => Promise.reject(new Fault("no")))) },
      edges: [],
    };
    const inner = parallel({ type: "p", isLenient: false, shape: "value", branches: { chain } });
    const top = parallel({
      type: "p",
      isLenient: false,
      shape: "value",
      onError: "continue",
      branches: { deep: { nodes: { inner }, edges: [] }, fails },
    });
    const next = node(() => pause(60).then(() => ({ value: 1 })));
    const { values } = await play({ nodes: { top, next }, edges: [{ from: "top", to: "next" }] });
    expect(values).toMatchObject({ top: { error: { message: expect.stringContaining("no") } }, next: 1 });
    expect(later).toBe(0);
  });

  test.each([
    [
      "throws on every touch",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("touched");
          },
        },
      ),
    ],
    ["is nothing", undefined],
  ])("ends with the node's id when what was thrown %s", async (_, thrown) => {
    const bad = node(() => pause(1).then(() => Promise.reject(thrown)), { repeats: true });
    const { error } = await play({ nodes: { bad }, edges: [] });
    expect(error).toMatchObject({ code: "NODE_EXECUTION_FAILED", details: { node_id: "bad" } });
  });

  test.each(["at once", "later"])(
    "ends when the condition of an edge throws %s after a failure that may be",
    async (when) => {
      const run: Node["run"] = () => (when === "later" ? pause(1).then(() => ({ value: 1 })) : { value: 1 });
      const nodes = { a: node(run, { onError: "continue" }), b: node(() => ({ value: 1 })) };
      const throws = () => {
        throw new Fault("cannot be told");
      };
      const { error } = await play({ nodes, edges: [{ from: "a", to: "b", when: throws }] });
      expect(error).toMatchObject({ details: { node_id: "a" }, message: expect.stringContaining("cannot be told") });
    },
  );

  test.each([
    [
      "a cycle",
      [
        { from: "a", to: "b" },
        { from: "b", to: "a" },
      ],
      "cycle",
    ],
    ["an unknown target", [{ from: "a", to: "c" }], "node c"],
    ["an unknown source", [{ from: "c", to: "b" }], "node c"],
  ])("refuses %s instead of waiting for ever", async (_, edges, said) => {
    const nodes = { a: node(() => ({ value: 1 })), b: node(() => ({ value: 1 })) };
    const { error, told } = await play({ nodes, edges });
    expect(error?.message).toContain(said);
    expect(told).toEqual([]);
  });

  test("tells which nodes were left out also when another one fails", async () => {
    const nodes = {
      a: node(() => ({ value: 1 })),
      b: node(() => ({ value: 1 })),
      c: node(() => pause(5).then(() => Promise.reject(new Fault("no")))),
    };
    const { told } = await play({ nodes, edges: [{ from: "a", to: "b", when: () => false }] });
    expect(idsOf(told, "node_skip")).toEqual(["b"]);
  });
});
