import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Case } from "../case.ts";
import { residentMib } from "../processes.ts";
import { toRow } from "../row.ts";
import { unseenScript } from "../scripts.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const SETTLED = 30;
const FURTHER = 60;
/** A host collects the garbage of an isolate that has been idle for a second. */
const SETTLE_MS = 4_000;

async function warmUp(weft: Weft, label: string): Promise<void> {
  await weft.upload(label, unseenScript(label));
  await weft.call(label, { label }, { no_cache: true });
}

/** What another script in use costs. */
export const warm: Case = {
  name: "warm",
  about: `Resident memory of server and one host per further script that was called: ${FURTHER} after the first ${SETTLED}, both ${SETTLE_MS / 1_000} s after the last call.`,
  run: () =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, env: { WEFT_WORKERS: "1" } });
      try {
        const run = `warm-${randomBytes(4).toString("hex")}`;
        for (let index = 0; index < SETTLED; index++) await warmUp(weft, `${run}-${index}`);
        await sleep(SETTLE_MS);
        const before = residentMib(weft.pid);
        for (let index = 0; index < FURTHER; index++) await warmUp(weft, `${run}-further-${index}`);
        await sleep(SETTLE_MS);
        const amount = (residentMib(weft.pid) - before) / FURTHER;
        return [toRow("warm", { amount, unit: "MiB per script", goal: { figure: "amount", atMost: 2 } })];
      } finally {
        await weft.stop();
      }
    }),
};
