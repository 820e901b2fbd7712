/** Child of crash.test.ts: writes without end and says on stdout what was acknowledged, until it is killed. */
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import { chunks, DONE, entry, execution, LEASE_MS, USAGE, type World } from "../fixtures.ts";

const file = process.argv[2];
if (file === undefined) throw new Error("The path of the store is missing.");
const store = await createSqliteStore({ file, durability: "full" });
const account = await store.ownerAccount();
const workflow = await store.findWorkflow({ accountId: account.id, key: "summarize" });
if (workflow === null) throw new Error("The workflow is missing.");
const world: World = { store, account, workflow };
// A full pipe makes it wait; what a kill keeps from being said is only not counted.
const acknowledge = (line: string) => process.stdout.write(`${line}\n`);

async function runOne(): Promise<void> {
  const fresh = execution(world.workflow);
  const lease = { executionId: fresh.id, fence: 1 };
  const started = store.startExecution({
    execution: fresh,
    startedAt: fresh.createdAt,
    worker: "child",
    leaseMs: LEASE_MS,
  });
  void started.then(() => acknowledge(`start ${fresh.id}`));
  for (let seq = 0; seq < 9; seq += 3) {
    await store.appendJournal({
      lease,
      records: [entry(seq), entry(seq + 1, { args: `{"n":${seq % 2}}` }), entry(seq + 2)],
    });
    acknowledge(`journal ${fresh.id} ${seq + 3}`);
    await store.appendOutput({ lease, chunks: chunks(seq, 3), logs: [] });
    acknowledge(`chunks ${fresh.id} ${seq + 3}`);
  }
  const ended = await store.completeExecution({
    lease,
    ending: DONE,
    usage: USAGE,
    chunks: chunks(9, 2),
    logs: [],
    now: 1,
  });
  if (ended) acknowledge(`end ${fresh.id} 11`);
}

async function runForEver(): Promise<never> {
  for (;;) await runOne();
}

await Promise.all(Array.from({ length: 8 }, runForEver));
