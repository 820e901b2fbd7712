import { expect, test } from "vitest";
import type { JournalRecord } from "../../runtime/execution.ts";
import { createDeliveries } from "../../runtime/worker/deliveries.ts";

interface Commit {
  readonly seqs: readonly number[];
  readonly durable: boolean;
}

function begin() {
  const commits: Commit[] = [];
  const delivered: number[] = [];
  const deliveries = createDeliveries(
    {
      async commit(records, durable) {
        commits.push({ seqs: records.map(({ seq }) => seq), durable });
      },
      deliver: ({ seq }) => void delivered.push(seq),
      failed: (error) => expect(error).toBeUndefined(),
    },
    0,
    0,
  );
  return { deliveries, commits, delivered };
}

const record = (payload: string): Omit<JournalRecord, "seq" | "at"> => ({
  pos: 0,
  kind: "result",
  op: "datastore.get",
  hash: "h",
  payload,
  args: null,
  meter: null,
});

test("results of pure calls reach the guest at once and are written with the next effect", async () => {
  const { deliveries, commits, delivered } = begin();
  deliveries.add(record("1"), false);
  deliveries.add(record("2"), false);
  expect([delivered, commits]).toEqual([[0, 1], []]);
  deliveries.add(record("3"), true);
  expect(delivered).toEqual([0, 1]);
  await Promise.resolve();
  expect([delivered, commits]).toEqual([[0, 1, 2], [{ seqs: [0, 1, 2], durable: true }]]);
});

test("many of them, or a few large ones, are handed over sooner: a worker holds a bounded number of bytes", () => {
  const { deliveries, commits } = begin();
  for (let n = 0; n < 512; n++) deliveries.add(record("x"), false);
  expect(commits.map(({ seqs, durable }) => [seqs.length, durable])).toEqual([[512, false]]);
  const large = "x".repeat(1_500_000);
  for (let n = 0; n < 7; n++) deliveries.add(record(large), false);
  expect(commits.map(({ seqs }) => seqs.length)).toEqual([512, 3, 3]);
});
