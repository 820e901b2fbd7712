import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import { residentMib } from "../processes.ts";
import { type Row, toRow } from "../row.ts";
import { unseenScript } from "../scripts.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const SETTLED = 30;
const FURTHER = 60;
const MANY = [100, 1_000];
/** A host collects the garbage of an isolate that has been idle for a second. */
const SETTLE_MS = 4_000;

async function measure(weft: Weft, isQuick: boolean): Promise<readonly Row[]> {
  const run = `warm-${randomBytes(4).toString("hex")}`;
  let called = 0;
  /** Resident memory once that many scripts have been called, MiB. */
  const settledAt = async (count: number): Promise<number> => {
    for (; called < count; called++) {
      await weft.upload(`${run}-${called}`, unseenScript(`${run}-${called}`));
      await weft.call(`${run}-${called}`, { called }, { no_cache: true });
    }
    await sleep(SETTLE_MS);
    return residentMib(weft.pid);
  };
  const none = await settledAt(0);
  const first = await settledAt(SETTLED);
  const amount = ((await settledAt(SETTLED + FURTHER)) - first) / FURTHER;
  const rows = [toRow("warm", { amount, unit: "MiB per script", goal: { figure: "amount", atMost: 2 } })];
  for (const count of isQuick ? [] : MANY) {
    const each = ((await settledAt(count)) - none) / count;
    rows.push(toRow(`warm-${count}`, { amount: each, unit: `MiB per script, of ${count} in use` }));
  }
  return rows;
}

/** What another script in use costs. */
export const warm: Case = {
  name: "warm",
  about: `Resident memory of server and one host per further script that was called: ${FURTHER} after the first ${SETTLED}, ${SETTLE_MS / 1_000} s after the last call; and of ${MANY.join(" and ")} above none (a host keeps 256 idle scripts).`,
  run: ({ quick }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, env: { WEFT_WORKERS: "1" } });
      try {
        return await measure(weft, quick);
      } finally {
        await weft.stop();
      }
    }),
};
