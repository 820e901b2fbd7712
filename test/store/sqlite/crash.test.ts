import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { chunks, entry, worldOf } from "../fixtures.ts";
import { temporaryDirectory } from "./directory.ts";

const WRITER = fileURLToPath(new URL("./crash-writer.ts", import.meta.url));
const ROUNDS = 6;
const MIN_LINES = 300;

/** What the child said was durable about one execution. */
interface Acknowledged {
  journal: number;
  chunks: number;
  ended: boolean;
}

/** Starts a writer, kills it in the middle of its work and returns what it had acknowledged. */
async function writeUntilKilled(file: string, round: number): Promise<Map<string, Acknowledged>> {
  const child = spawn(process.execPath, [WRITER, file], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (part: string) => {
    text += part;
    if (text.split("\n").length > MIN_LINES + round * 37) child.kill("SIGKILL");
  });
  const [, signal] = await once(child, "close");
  expect(signal).toBe("SIGKILL");
  return parse(text.split("\n").slice(0, -1));
}

function parse(acknowledgements: readonly string[]): Map<string, Acknowledged> {
  const all = new Map<string, Acknowledged>();
  for (const line of acknowledgements) {
    const [what, id = "", count] = line.split(" ");
    const one = all.get(id) ?? { journal: 0, chunks: 0, ended: false };
    if (what === "journal") one.journal = Number(count);
    if (what === "chunks" || what === "end") one.chunks = Number(count);
    if (what === "end") one.ended = true;
    all.set(id, one);
  }
  return all;
}

async function check(store: Store, accountId: string, acknowledged: ReadonlyMap<string, Acknowledged>): Promise<void> {
  for (const [executionId, one] of acknowledged) {
    const found = await store.findExecution({ accountId, executionId });
    const journal = await store.readJournal({ executionId });
    const output = await store.readChunks({ executionId, from: 0, limit: 100 });
    expect(found?.state.status).toBe(
      one.ended ? "completed" : found?.state.status === "completed" ? "completed" : "running",
    );
    expect(journal.length).toBeGreaterThanOrEqual(one.journal);
    expect(journal.length % 3).toBe(0);
    expect(journal.map((record) => record.payload)).toEqual(journal.map((_, seq) => entry(seq).payload));
    expect(output.length).toBeGreaterThanOrEqual(one.chunks);
    expect(output).toEqual(chunks(0, output.length));
  }
}

async function checkNothingHalf(store: Store, accountId: string): Promise<void> {
  const page = await store.listExecutions({ accountId, filter: {}, limit: 100_000, offset: 0, after: null });
  expect(page.total).toBe(page.items.length);
  for (const { id, state, chunkCount } of page.items) {
    const entries = (await store.readJournal({ executionId: id })).length;
    if (state.status === "completed") expect([entries, chunkCount]).toEqual([9, 11]);
    else expect([0, 3]).toContain(entries - chunkCount);
  }
}

it(`loses nothing acknowledged and leaves nothing half in ${ROUNDS} rounds of kill -9`, {
  timeout: 60_000,
}, async () => {
  const file = join(temporaryDirectory(), "weft.db");
  const first = await createSqliteStore({ file, durability: "full" });
  const { account } = await worldOf(first);
  await first.close();
  const everything = new Map<string, Acknowledged>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [id, one] of await writeUntilKilled(file, round)) everything.set(id, one);
    const store = await createSqliteStore({ file, durability: "full" });
    await check(store, account.id, everything);
    await checkNothingHalf(store, account.id);
    await store.close();
  }
  expect(everything.size).toBeGreaterThan(ROUNDS * 10);
  const db = new DatabaseSync(file);
  expect(db.prepare("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  db.close();
});
