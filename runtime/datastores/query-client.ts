import { fail } from "../errors.ts";
import { Lane } from "./lane.ts";
import { type DatastoreLimits, type LaneName, laneOf, type Operation } from "./operations.ts";
import { cancelled } from "./query-worker.ts";
import type { Asking, QueryClient, RecordInput } from "./types.ts";

/** What a query client needs. */
export interface QueryClientOptions {
  readonly limits: DatastoreLimits;
  /** Directory for SQLite's temporary files, on the disk that has the datastores. */
  readonly temporary: string;
}

/** Processes of each lane at most. */
const PROCESSES: Readonly<Record<LaneName, number>> = { query: 2, read: 2, vector: 2, change: 1, copy: 1 };

/** A client with its own processes; none is started before it is needed. */
export function createQueryClient({ limits, temporary }: QueryClientOptions): QueryClient {
  const lanes = new Map<LaneName, Lane>();
  let closed = false;
  const laneFor = (name: LaneName): Lane => {
    const lane = lanes.get(name) ?? new Lane({ hello: { lane: name, limits }, temporary, processes: PROCESSES[name] });
    lanes.set(name, lane);
    return lane;
  };
  const run = (operation: Operation, { accountId, signal }: Asking): Promise<string> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(fail("STOPPING"));
      if (signal?.aborted === true) return reject(cancelled());
      const giveUp = () => reject(cancelled());
      signal?.addEventListener("abort", giveUp);
      const settled = <T>(settle: (value: T) => void) => {
        return (value: T): void => {
          signal?.removeEventListener("abort", giveUp);
          settle(value);
        };
      };
      const task = { frame: JSON.stringify(operation), signal, resolve: settled(resolve), reject: settled(reject) };
      laneFor(laneOf(operation)).add(accountId, task);
    });
  return {
    get: (ref, ids, asking) => run({ op: "get", ref, ids }, asking),
    count: (ref, filter, asking) => run({ op: "count", ref, filter }, asking),
    scan: (ref, params, asking) => run({ op: "scan", ref, params }, asking),
    search: (ref, params, asking) => run({ op: "search", ref, params }, asking),
    query: (ref, params, asking) => run({ op: "query", ref, params }, asking),
    describe: async (ref, asking) => JSON.parse(await run({ op: "describe", ref }, asking)),
    async upsert(file, revision, records, asking) {
      return JSON.parse(await run({ op: "upsert", file, revision, records: records.map(toPlain) }, asking));
    },
    remove: async (file, revision, ids, asking) => JSON.parse(await run({ op: "remove", file, revision, ids }, asking)),
    copy: async (ref, target, asking) => JSON.parse(await run({ op: "copy", ref, target }, asking)),
    export: async (ref, target, asking) => JSON.parse(await run({ op: "export", ref, target }, asking)),
    async close() {
      closed = true;
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
  };
}

/** As JSON has it: a Float32Array would become an object. */
const toPlain = (record: RecordInput): RecordInput =>
  record.vector === undefined ? record : { ...record, vector: Array.from(record.vector) };
