import type { Case } from "../case.ts";
import { fillDatastore, makeDatastore, openBare } from "../datastore.ts";
import { toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const RECORDS = 100_000;
const GETS = 2_000;

/** What a call takes per get, beyond a call that gets nothing, in ms. */
async function perGet(weft: Weft, store: string): Promise<number> {
  const timed = async (count: number) => {
    const startedAt = performance.now();
    await weft.call("datastore-get", { store, count, records: RECORDS }, { no_cache: true });
    return performance.now() - startedAt;
  };
  const none = await timed(0);
  return ((await timed(GETS)) - none) / GETS;
}

/** The same gets by node:sqlite alone, in ms each. */
function perBareGet(dataDir: string): number {
  const db = openBare(dataDir);
  const get = db.prepare("SELECT * FROM records WHERE id = ?");
  const startedAt = performance.now();
  for (let at = 0; at < GETS; at++) JSON.stringify(get.get(`r${(at * 7_919) % RECORDS}`));
  const each = (performance.now() - startedAt) / GETS;
  db.close();
  return each;
}

/** A script's point reads. */
export const datastoreGet: Case = {
  name: "datastore-get",
  about: `A script's ctx.datastore.get among ${RECORDS} records, one after the other, against the bare call of node:sqlite plus one trip through the door (a get from an empty datastore).`,
  run: ({ quick, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir, env: { WEFT_WORKERS: "1" } });
      try {
        await makeDatastore(weft, "records");
        await makeDatastore(weft, "empty");
        await fillDatastore(weft, "records", RECORDS);
        await weft.deploy("datastore-get");
        for (const store of ["records", "empty"]) await perGet(weft, store);
        const rounds: { readonly ours: number; readonly door: number; readonly bare: number }[] = [];
        for (let round = 0; round < (quick ? 3 : 10); round++) {
          const ours = await perGet(weft, "records");
          rounds.push({ ours, door: await perGet(weft, "empty"), bare: perBareGet(dataDir) });
        }
        const amount = median(rounds.map(({ ours, door, bare }) => ours / (door + bare)));
        const unit = "× bare call and door";
        const goal = { figure: "amount", atMost: 5 } as const;
        return [
          toRow("datastore-get", { p50Ms: median(rounds.map(({ ours }) => ours)), amount, unit, goal }),
          toRow("datastore-door", { p50Ms: median(rounds.map(({ door }) => door)) }),
          toRow("datastore-bare", { p50Ms: median(rounds.map(({ bare }) => bare)) }),
        ];
      } finally {
        await weft.stop();
      }
    }),
};
