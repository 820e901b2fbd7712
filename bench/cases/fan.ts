import type { Case } from "../case.ts";
import { measureBurst } from "../load.ts";
import { peakMib, residentMib } from "../processes.ts";
import { toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { callUrl, startWeft, toCallBody, withDataDir } from "../weft.ts";

const EXECUTIONS = 1_000;

/** Many executions that wait for a slow service at the same time. */
export const fan: Case = {
  name: "fan",
  about: `${EXECUTIONS} calls at once, each making three calls of 100 ms one after the other; memory of server and hosts.`,
  run: ({ quick, upstream, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir });
      try {
        await weft.deploy("fan");
        await weft.call("fan", { upstream }, { no_cache: true });
        const idle = residentMib(weft.pid);
        const body = toCallBody("fan", { upstream }, { no_cache: true });
        const load = { url: callUrl(weft), headers: weft.headers, body, connections: EXECUTIONS };
        const times: number[] = [];
        const peak = await peakMib(weft.pid, async () => {
          for (let round = 0; round < (quick ? 2 : 5); round++) times.push(await measureBurst(load));
        });
        return [
          toRow("fan", { amount: median(times) / 1_000, unit: "s", goal: { figure: "amount", atMost: 1.2 } }),
          toRow("fan-first", { amount: (times[0] ?? 0) / 1_000, unit: "s" }),
          toRow("fan-memory", {
            amount: peak - idle,
            unit: "MiB above idle",
            goal: { figure: "amount", atMost: 1_024 },
          }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
