import type { DatabaseSync } from "node:sqlite";
import type { Case } from "../case.ts";
import { fillDatastore, makeDatastore, openBare } from "../datastore.ts";
import { type Row, toRow } from "../row.ts";
import { median } from "../statistics.ts";
import { startWeft, type Weft, withDataDir } from "../weft.ts";

const RECORDS = 1_000_000;
const RECORDS_QUICK = 100_000;

/** A word that is in some records, one in hardly any, two words, a phrase and a prefix. */
const QUERIES = ["w1000", "w30000", "w100 w200", '"w20 w30"', "w499*"];

/** Searches of one call: as many as make the call itself matter little. */
const SEARCHES = 20;

async function perSearch(weft: Weft, query: string): Promise<number> {
  const timed = async (count: number) => {
    const startedAt = performance.now();
    await weft.call("datastore-search", { query, count }, { no_cache: true });
    return performance.now() - startedAt;
  };
  const none = await timed(0);
  return ((await timed(SEARCHES)) - none) / SEARCHES;
}

/** The same search by FTS5 alone, its ten best records included. */
function perBareSearch(db: DatabaseSync, query: string): number {
  const search = db.prepare(
    `SELECT r.* FROM (SELECT rowid, rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT 10) AS found
     JOIN records AS r ON r._row = found.rowid ORDER BY found.rank`,
  );
  const startedAt = performance.now();
  for (let at = 0; at < SEARCHES; at++) JSON.stringify(search.all(query));
  return (performance.now() - startedAt) / SEARCHES;
}

interface Measured {
  readonly query: string;
  readonly ms: number;
  /** Times the bare query, the median over the rounds. */
  readonly ratio: number;
}

async function measure(weft: Weft, db: DatabaseSync, [query, rounds]: readonly [string, number]): Promise<Measured> {
  const ours: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const each = await perSearch(weft, query);
    ours.push(each);
    ratios.push(each / perBareSearch(db, query));
  }
  return { query, ms: median(ours), ratio: median(ratios) };
}

const UNIT = "× bare FTS5";

/** The queries together and each by itself: what takes FTS5 a fraction of a millisecond shows what the way there costs. */
function toRows(measured: readonly Measured[], quick: boolean): readonly Row[] {
  const all = {
    p50Ms: median(measured.map(({ ms }) => ms)),
    amount: median(measured.map(({ ratio }) => ratio)),
    unit: UNIT,
  };
  // The goal is about many records; few are found too soon.
  const goal = quick ? null : ({ figure: "amount", atMost: 10 } as const);
  const each = measured.map(({ query, ms, ratio }) =>
    toRow(`datastore-search ${query}`, { p50Ms: ms, amount: ratio, unit: UNIT }),
  );
  return [toRow("datastore-search", { ...all, goal }), ...each];
}

/** A script's keyword searches. */
export const datastoreSearch: Case = {
  name: "datastore-search",
  about: `A script's ctx.datastore.search by keywords among ${RECORDS} records (${RECORDS_QUICK} with --quick), ten results, against the bare query of FTS5; the median of some queries.`,
  run: ({ quick, profileDir }) =>
    withDataDir(async (dataDir) => {
      const weft = await startWeft({ dataDir, profileDir });
      try {
        await makeDatastore(weft, "records");
        await fillDatastore(weft, "records", quick ? RECORDS_QUICK : RECORDS);
        await weft.deploy("datastore-search");
        const db = openBare(dataDir);
        const measured: Measured[] = [];
        for (const query of QUERIES) measured.push(await measure(weft, db, [query, quick ? 3 : 5]));
        db.close();
        return toRows(measured, quick);
      } finally {
        await weft.stop();
      }
    }),
};
