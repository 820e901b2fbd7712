import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { JournalRecord } from "../../../runtime/index.ts";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { Lease, Store } from "../../../src/store/store.ts";
import { createRandom } from "../../crash/random.ts";
import { entry, start, T0, type World, workflowParams, worldOf } from "../fixtures.ts";
import { temporaryDirectory } from "./directory.ts";

const MIB = 1024 * 1024;
const METER = {
  startedAt: T0,
  durationMs: 1,
  attempts: 1,
  promptTokens: 9,
  completionTokens: 9,
  costUsd: 0,
  model: "m",
};
const CHAT = "chat.completions.create";

async function openWorld() {
  const file = join(temporaryDirectory(), "weft.db");
  const open = () => createSqliteStore({ file, durability: "relaxed" });
  const world = await worldOf(await open());
  return { file, open, world };
}

const random = createRandom(11);
const WORDS = Array.from({ length: 4_000 }, () =>
  random
    .next()
    .toString(36)
    .slice(2, 3 + random.between(1, 8)),
);
/** Text that repeats nothing but words. */
const prose = (units: number) => {
  let text = "";
  while (text.length < units) text += `${WORDS[random.between(0, WORDS.length - 1)]} `;
  return text.slice(0, units);
};

/** A conversation: each call sends all messages so far, its answer asks for a tool, whose output is the next message. */
class Conversation {
  readonly messages: object[] = [{ role: "system", content: prose(2_000) }];
  readonly name: string;

  constructor(name: string) {
    this.name = name;
    this.messages.push({ role: "user", content: `${name} ${prose(500)}` });
  }

  /** The two deliveries of one round. */
  round(seq: number): JournalRecord[] {
    const args = JSON.stringify({ messages: this.messages, model: "gpt-5", user: this.name });
    const message = { role: "assistant", content: prose(2_800) };
    const payload = JSON.stringify({ id: `chatcmpl-${seq}`, choices: [{ index: 0, message }] });
    const output = prose(5_000);
    this.messages.push(message, { role: "tool", tool_call_id: `call_${seq}`, content: output });
    const tool = JSON.stringify({ status: 200, headers: {}, body: output });
    return [
      entry(seq, { op: CHAT, args, payload, meter: METER }),
      entry(seq + 1, { args: `{"url":"https://tool/${seq}"}`, payload: tool, meter: METER }),
    ];
  }
}

async function appendEach(store: Store, lease: Lease, records: readonly JournalRecord[]): Promise<void> {
  for (const record of records) await store.appendJournal({ lease, records: [record] });
}

/** Bytes of the file without what is unused in it, and without what an empty store takes. */
async function sizeOf(file: string, { store }: World): Promise<number> {
  await store.close();
  const empty = await openWorld();
  await empty.world.store.close();
  return bytesOf(file) - bytesOf(empty.file);
}

function bytesOf(file: string): number {
  const db = new DatabaseSync(file);
  const read = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
  const bytes = (read("page_count") - read("freelist_count")) * read("page_size");
  db.close();
  return bytes;
}

describe("the journal on disk", () => {
  it("stays under 5 MB with 100 model calls of a chat that grows to 800 KB, and gives the arguments back", async () => {
    const { file, world } = await openWorld();
    const lease = await start(world);
    const talk = new Conversation("talk");
    const records = Array.from({ length: 100 }, (_, n) => talk.round(2 * n)).flat();
    await appendEach(world.store, lease, records);
    expect(JSON.stringify(talk.messages).length).toBeGreaterThan(750_000);
    expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual(records);
    expect(await sizeOf(file, world)).toBeLessThan(2.5 * MIB);
  });

  it("takes conversations in turns, and goes on after a restart", async () => {
    const { file, open, world } = await openWorld();
    const lease = await start(world);
    const talks = ["a", "b", "c", "d"].map((name) => new Conversation(name));
    const records: JournalRecord[] = [];
    const talkOn = (rounds: number) => {
      const from = records.length;
      for (let n = 0; n < rounds; n++) for (const talk of talks) records.push(...talk.round(records.length));
      return records.slice(from);
    };
    await appendEach(world.store, lease, talkOn(15));
    await world.store.close();
    const store = await open();
    await appendEach(store, lease, talkOn(15));
    expect(await store.readJournal({ executionId: lease.executionId })).toEqual(records);
    // Each conversation once whole before the restart, and at most once after it.
    expect(await sizeOf(file, { ...world, store })).toBeLessThan(4 * MIB);
  });

  it("keeps of each part of a stream little more than its word", async () => {
    const { file, world } = await openWorld();
    const lease = await start(world);
    const frame = (id: string, content: string) =>
      JSON.stringify([
        {
          id,
          object: "chat.completion.chunk",
          created: 1_700_000_000,
          model: "gpt-5-2026-01-01",
          service_tier: "default",
          system_fingerprint: "fp_0123456789",
          choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
        },
      ]);
    const hashes = [entry(0).hash, entry(1).hash];
    // Two streams side by side.
    const parts = Array.from({ length: 10_000 }, (_, seq) =>
      entry(seq, {
        pos: seq % 2,
        hash: hashes[seq % 2] as string,
        op: CHAT,
        kind: "part",
        payload: frame(`chatcmpl-${seq % 2}`, ` word${seq}`),
      }),
    );
    const records = [
      ...parts,
      entry(10_000, { pos: 0, op: CHAT, hash: hashes[0] as string, args: "{}", meter: METER }),
    ];
    for (let at = 0; at < records.length; at += 100) {
      await world.store.appendJournal({ lease, records: records.slice(at, at + 100) });
    }
    expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual(records);
    expect((await sizeOf(file, world)) / records.length).toBeLessThan(110);
  });

  it("takes the same room for an op whether 1,000 or 10,000 were made", async () => {
    const sizes: number[] = [];
    for (const count of [0, 1_000, 10_000]) {
      const { file, world } = await openWorld();
      const lease = await start(world);
      const headers = { accept: "x".repeat(300) };
      const argsOf = (n: number) => JSON.stringify({ url: `https://api.example.com/items/${n}`, headers });
      const records = Array.from({ length: count }, (_, n) => entry(n, { args: argsOf(n), meter: METER }));
      for (let at = 0; at < count; at += 100) {
        await world.store.appendJournal({ lease, records: records.slice(at, at + 100) });
      }
      expect(await world.store.readJournal({ executionId: lease.executionId })).toEqual(records);
      sizes.push(await sizeOf(file, world));
    }
    const [none = 0, some = 0, many = 0] = sizes;
    const [perOp, perOpOfMany] = [(some - none) / 1_000, (many - none) / 10_000];
    expect(perOpOfMany).toBeLessThan(250);
    expect(perOpOfMany / perOp).toBeLessThan(1.1);
  });

  it("has no long chains of arguments, not even after a restart: any of them are read in a moment", async () => {
    const { file, open, world } = await openWorld();
    const lease = await start(world);
    const text = prose(5_000);
    const records = Array.from({ length: 400 }, (_, n) =>
      entry(n, { args: JSON.stringify({ text, n }), meter: METER }),
    );
    await appendEach(world.store, lease, records.slice(0, 200));
    await world.store.close();
    const store = await open();
    await appendEach(store, lease, records.slice(200));
    expect(await store.readJournal({ executionId: lease.executionId })).toEqual(records);
    await store.close();
    const db = new DatabaseSync(file);
    const rows = db.prepare("SELECT seq, args_delta AS delta FROM journal ORDER BY seq").all();
    db.close();
    const depths: number[] = [];
    for (const { delta } of rows)
      depths.push(delta === null ? 0 : (depths[Number.parseInt(String(delta), 10)] ?? 0) + 1);
    expect(Math.max(...depths)).toBe(128);
    expect(depths.filter((depth) => depth === 0)).toHaveLength(4);
  });

  it("reads a long conversation back page by page, whatever part of it is asked for", async () => {
    const { world } = await openWorld();
    const lease = await start(world);
    const text = prose(200_000);
    const records = Array.from({ length: 300 }, (_, n) =>
      entry(n, { args: JSON.stringify({ text, n }), meter: METER }),
    );
    await appendEach(world.store, lease, records);
    const params = { accountId: world.account.id, executionId: lease.executionId, limit: 100, maxChars: 1_000_000 };
    for (let from: number | null = 0; from !== null; ) {
      const { entries, next }: Awaited<ReturnType<Store["readTrace"]>> = await world.store.readTrace({
        ...params,
        from,
      });
      for (const { seq, args } of entries) expect(args?.text === records[seq]?.args).toBe(true);
      from = next;
    }
  });

  it("rests on nothing that was undone, cut off or belongs to a removed execution", async () => {
    const { world } = await openWorld();
    const { store } = world;
    const lease = await start(world);
    const args = (n: number) =>
      JSON.stringify({ messages: Array.from({ length: 9 }, () => "same text ".repeat(9)), n });
    const first = entry(0, { args: args(0), meter: METER });
    await store.appendJournal({ lease, records: [first] });
    // The second of these is refused, and the first of them with it.
    const gap = [entry(1, { args: args(1), meter: METER }), entry(3)];
    await expect(store.appendJournal({ lease, records: gap })).rejects.toMatchObject({ code: "CONFLICT" });
    const second = entry(1, { args: args(2), meter: METER });
    await store.appendJournal({ lease, records: [second] });
    expect(await store.readJournal({ executionId: lease.executionId })).toEqual([first, second]);
    // The last row's key is given out again after a removal.
    await store.deleteWorkflow({ accountId: world.account.id, workflowId: world.workflow.id });
    const again = await store.putWorkflow(workflowParams(world.account.id));
    const other = await start({ ...world, workflow: again });
    await store.appendJournal({ lease: other, records: [second].map((record) => ({ ...record, seq: 0 })) });
    expect(await store.readJournal({ executionId: other.executionId })).toEqual([{ ...second, seq: 0 }]);
  });
});
