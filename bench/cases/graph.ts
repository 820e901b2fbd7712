import type { Case } from "../case.ts";
import { toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

/** Calls of one round. */
const CALLS = 60;
const NODES = 500;

const llm = (id: string, prompt: string) => ({ id, type: "ai_model", config: { model: "echo", prompt } });

/** Three nodes, each a call of a model. */
const THREE = {
  name: "graph three",
  document: {
    nodes: [llm("a", "one {{input.x}}"), llm("b", "two {{a}}"), llm("c", "three {{b}}")],
    connections: [
      { from: "a", to: "b" },
      { from: "b", to: "c" },
    ],
  },
};

/** A chain of nodes that do nothing. */
const CHAIN = {
  name: "graph chain",
  document: {
    nodes: Array.from({ length: NODES }, (_, i) => ({ id: `n${i}`, type: "pass", config: {} })),
    connections: Array.from({ length: NODES - 1 }, (_, i) => ({ from: `n${i}`, to: `n${i + 1}` })),
  },
};
const SHORT = {
  name: "graph short",
  document: {
    nodes: CHAIN.document.nodes.slice(0, 2),
    connections: CHAIN.document.connections.slice(0, 1),
  },
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

/** Milliseconds of one call, over a round of them one after the other. */
async function perCall(weft: Weft, ref: string): Promise<number> {
  const round = async () => {
    for (let at = 0; at < CALLS; at++) await weft.call(ref, { x: at }, { no_cache: true });
  };
  return (await timed(round)) / CALLS;
}

/** Saves a graph with one node changed each time; milliseconds. */
const perSave = (weft: Weft, round: number): Promise<number> =>
  timed(() => weft.post("/api/v1/graphs", { ...CHAIN, name: `graph chain ${round}` }));

async function measure(weft: Weft, rounds: number) {
  const found: { readonly script: number; readonly graph: number; readonly node: number; readonly save: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const [script, graph] = [await perCall(weft, "three"), await perCall(weft, "graph-three")];
    const [short, chain] = [await perCall(weft, "graph-short"), await perCall(weft, "graph-chain")];
    found.push({ script, graph, node: (chain - short) / (NODES - 2), save: await perSave(weft, round) });
  }
  return found;
}

/** Graphs against scripts. */
export const graph: Case = {
  name: "graph",
  about: `A graph of three calls of the echo model against the script that makes the same calls; a chain of ${NODES} nodes that do nothing: saving it, and running it, per node.`,
  run: ({ quick, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir, env: { WEFT_WORKERS: "1" } });
      try {
        await weft.deploy("three");
        for (const one of [THREE, CHAIN, SHORT]) await weft.post("/api/v1/graphs", one);
        for (const ref of ["three", "graph-three", "graph-short", "graph-chain"]) await perCall(weft, ref);
        const rounds = await measure(weft, quick ? 3 : 10);
        const of = (name: keyof (typeof rounds)[number]) => median(rounds.map((round) => round[name]));
        const ratio = median(rounds.map(({ script, graph }) => graph / script));
        return [
          toRow("graph-three", {
            ...{ p50Ms: of("graph"), amount: ratio, unit: "× script" },
            goal: { figure: "amount", atMost: 1.3 },
          }),
          toRow("graph-script", { p50Ms: of("script") }),
          toRow("graph-node", {
            ...{ amount: of("node"), unit: "ms per node" },
            goal: { figure: "amount", atMost: 0.2 },
          }),
          toRow("graph-save", { p50Ms: of("save"), goal: { figure: "p50Ms", atMost: 200 } }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
