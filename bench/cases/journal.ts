import { statSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Case } from "../case.ts";
import { type Row, toRow } from "../row.ts";
import type { ScriptRef } from "../scripts.ts";
import { median } from "../statistics.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const FEW = 1_000;
const MANY = 10_000;
const MB = 1_000_000;

interface Measured {
  readonly ms: number;
  /** Of the store once the server has stopped. */
  readonly bytes: number;
}

/** One execution on a server of its own, after a first one of the same script that gets `warmUp` (null: none). */
async function measure(bench: Bench, ref: ScriptRef, input: object, warmUp: object | null): Promise<Measured> {
  return withDataDir(async (dataDir) => {
    const weft: Weft = await startWeft({ dataDir, profileDir: bench.profileDir });
    let ms = Number.NaN;
    try {
      await weft.deploy(ref);
      if (warmUp !== null) await weft.call(ref, warmUp, { no_cache: true });
      const begun = performance.now();
      await weft.call(ref, input, { no_cache: true });
      ms = performance.now() - begun;
    } finally {
      await weft.stop();
    }
    return { ms, bytes: statSync(join(dataDir, "weft.db")).size };
  });
}

async function measureOps(bench: Bench): Promise<readonly Row[]> {
  const { upstream, quick } = bench;
  const ratios: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const warmUp = { upstream, ops: FEW };
    const few = await measure(bench, "many", { upstream, ops: FEW }, warmUp);
    const many = await measure(bench, "many", { upstream, ops: MANY }, warmUp);
    ratios.push(many.ms / MANY / (few.ms / FEW));
    rates.push((MANY * 1_000) / many.ms);
  }
  const goal = { figure: "amount", atMost: 1.5 } as const;
  return [
    toRow("journal-ops", { amount: median(ratios), unit: `× time per op: ${MANY} ops against ${FEW}`, goal }),
    toRow("journal-rate", { perSecond: median(rates) }),
  ];
}

/** What an execution writes. */
export const journal: Case = {
  name: "journal",
  about: `Time per HTTP call of an execution with ${MANY} against one with ${FEW}; store of 100 model calls on a chat that grows to 800 KB.`,
  async run(bench) {
    const ops = await measureOps(bench);
    const { ms, bytes } = await measure(bench, "chat", {}, null);
    const goal = { figure: "amount", atMost: 5 } as const;
    return [
      ...ops,
      toRow("journal-chat", { amount: bytes / MB, unit: "MB in the store", goal }),
      toRow("journal-chat-ms", { amount: ms / 100, unit: "ms per model call (echo)" }),
    ];
  },
};
