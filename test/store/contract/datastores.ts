import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { DatastoreRevision, NewDatastoreImport } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { claim, execution, finish, start, T0, type World } from "../fixtures.ts";

const id = () => `ds_${randomUUID().replaceAll("-", "")}`;
const FAILED = { code: "INVALID_REQUEST", message: "line 3, column 2: not a number", details: { line: 3 } } as const;

async function add({ store, account }: World, name = "rulings") {
  const datastore = { id: id(), accountId: account.id, name, definition: '{"idField":"id"}', createdAt: T0 };
  return store.addDatastore({ datastore, max: 3 });
}

const revision = (at: number, base = at): DatastoreRevision => ({
  revision: at,
  base,
  schema: '{"idField":"id"}',
  rows: at * 10,
  bytes: 4_096,
});

const keyOf = (datastore: { readonly accountId: string; readonly id: string }) => ({
  accountId: datastore.accountId,
  datastoreId: datastore.id,
});

function newImport(datastore: { readonly accountId: string; readonly id: string }): NewDatastoreImport {
  const importId = `imp_${randomUUID().replaceAll("-", "")}`;
  const texts = { payer: "ci", format: "csv", options: "{}", definition: '{"idField":"number"}' };
  return { ...keyOf(datastore), ...texts, id: importId, bytes: 1_234, createdAt: T0 };
}

const NOTHING = { tokens: 0, costUsd: 0 };
const USED = { tokens: 12, costUsd: 0.5 };
const bound = { max: 5, keep: 2 };

/** An execution that reads base `base` of a datastore. */
const reading = (datastoreId: string, base: number) => ({
  data: JSON.stringify({ datastores: { rulings: { id: datastoreId, base, revision: base } }, input: {} }),
});

function describeRows(subject: () => Subject): void {
  describe("datastores", () => {
    it("are found by name and by id in their own account only, and by nobody else", async () => {
      const { world, reopen } = subject();
      const made = await add(world);
      const store = await reopen();
      const { id: accountId } = world.account;
      expect(made).toMatchObject({ name: "rulings", current: null, updatedAt: T0 });
      expect(await store.findDatastore({ accountId, key: "rulings" })).toEqual(made);
      expect(await store.findDatastore({ accountId, key: made.id })).toEqual(made);
      for (const key of ["rulings", made.id])
        expect(await store.findDatastore({ accountId: "stranger", key })).toBeNull();
      expect(await store.listDatastores({ accountId: "stranger", limit: 9, offset: 0 })).toEqual({
        items: [],
        total: 0,
      });
      const stranger = { accountId: "stranger", datastoreId: made.id };
      expect(await store.removeDatastore({ ...stranger, now: T0 })).toBe(false);
      expect(await store.nextDatastoreBase(stranger)).toBeNull();
      expect(await store.moveDatastore({ ...stranger, from: 0, to: revision(1), now: T0 })).toBe(false);
      expect(await store.listDatastoreImports({ ...stranger, limit: 9 })).toEqual([]);
    });

    it("have names of their own within the account, and no more than the limit", async () => {
      const { world } = subject();
      await add(world);
      await expect(add(world)).rejects.toMatchObject({ code: "CONFLICT" });
      await add(world, "b");
      await add(world, "a");
      await expect(add(world, "c")).rejects.toMatchObject({ code: "RATE_LIMITED" });
      const page = await world.store.listDatastores({ accountId: world.account.id, limit: 2, offset: 1 });
      expect(page.items.map(({ name }) => name)).toEqual(["b", "rulings"]);
      expect(page.total).toBe(3);
    });

    it("move to a revision once, from the one they are at", async () => {
      const { world, reopen } = subject();
      const made = await add(world);
      const key = keyOf(made);
      expect(await world.store.nextDatastoreBase(key)).toBe(1);
      expect(await world.store.nextDatastoreBase(key)).toBe(2);
      expect(await world.store.moveDatastore({ ...key, from: 0, to: revision(1, 2), now: T0 + 1 })).toBe(true);
      expect(await world.store.moveDatastore({ ...key, from: 0, to: revision(1, 1), now: T0 + 2 })).toBe(false);
      const store = await reopen();
      const found = await store.findDatastore({ accountId: made.accountId, key: made.id });
      expect(found).toEqual({ ...made, current: revision(1, 2), updatedAt: T0 + 1 });
      expect(await store.nextDatastoreBase(key)).toBe(3);
    });
  });
}

function describeImports(subject: () => Subject): void {
  describe("imports", () => {
    it("are queued, run and complete; the datastore moves with their end", async () => {
      const { world, reopen } = subject();
      const made = await add(world);
      const item = newImport(made);
      await world.store.addDatastoreImport({ item, ...bound });
      const key = { ...keyOf(made), importId: item.id };
      expect(await world.store.findDatastoreImport(key)).toEqual({
        ...item,
        usage: NOTHING,
        state: { status: "queued" },
      });
      expect(await world.store.beginDatastoreImport({ importId: item.id, now: T0 + 1 })).toBe(true);
      expect(await world.store.beginDatastoreImport({ importId: item.id, now: T0 + 2 })).toBe(false);
      const end = {
        importId: item.id,
        from: 0,
        to: revision(1),
        warnings: ["column a: mixed"],
        usage: USED,
        now: T0 + 3,
      };
      expect(await world.store.completeDatastoreImport(end)).toBe(true);
      expect(await world.store.completeDatastoreImport(end)).toBe(false);
      const store = await reopen();
      expect((await store.findDatastoreImport(key))?.state).toEqual({
        status: "complete",
        startedAt: T0 + 1,
        endedAt: T0 + 3,
        revision: 1,
        rows: 10,
        warnings: ["column a: mixed"],
      });
      expect((await store.findDatastoreImport(key))?.usage).toEqual(USED);
      const found = await store.findDatastore({ accountId: made.accountId, key: made.name });
      expect(found).toMatchObject({ current: revision(1), definition: item.definition });
      expect(await store.findDatastoreImport({ ...key, accountId: "stranger" })).toBeNull();
      expect(await store.findDatastoreImport({ ...key, datastoreId: "another" })).toBeNull();
    });

    it("that were interrupted are queued again, in their order", async () => {
      const { world, reopen } = subject();
      const made = await add(world);
      const [first, second, third] = [newImport(made), newImport(made), newImport(made)];
      for (const item of [first, second, third]) await world.store.addDatastoreImport({ item, ...bound });
      await world.store.beginDatastoreImport({ importId: second.id, now: T0 });
      const failed = { importId: third.id, status: "failed", error: FAILED, usage: USED, now: T0 } as const;
      expect(await world.store.endDatastoreImport(failed)).toBe(true);
      expect(await world.store.endDatastoreImport(failed)).toBe(false);
      const store = await reopen();
      const open = await store.reopenDatastoreImports();
      expect(open.map((item) => item.id)).toEqual([first.id, second.id]);
      expect(open[1]?.state).toEqual({ status: "queued" });
      const listed = await store.listDatastoreImports({ ...keyOf(made), limit: 2 });
      expect(listed.map((item) => item.id)).toEqual([third.id, second.id]);
      expect(listed[0]?.state).toEqual({ status: "failed", endedAt: T0, error: FAILED });
    });

    it("do not come to an end once they are cancelled or the datastore is at another revision or gone", async () => {
      const { world } = subject();
      const made = await add(world);
      const { store } = world;
      const begin = async () => {
        const item = newImport(made);
        await store.addDatastoreImport({ item, ...bound });
        await store.beginDatastoreImport({ importId: item.id, now: T0 });
        return item.id;
      };
      const complete = (importId: string, from: number) =>
        store.completeDatastoreImport({ importId, from, to: revision(from + 1), warnings: [], usage: USED, now: T0 });
      const cancelled = await begin();
      await store.endDatastoreImport({ importId: cancelled, status: "cancelled", error: FAILED, usage: USED, now: T0 });
      expect(await complete(cancelled, 0)).toBe(false);
      const late = await begin();
      expect(await complete(late, 4)).toBe(false);
      expect(await complete(late, 0)).toBe(true);
      const orphan = await begin();
      await store.removeDatastore({ ...keyOf(made), now: T0 });
      expect(await complete(orphan, 1)).toBe(false);
      await expect(store.addDatastoreImport({ item: newImport(made), ...bound })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      expect(await store.listDatastoreImports({ ...keyOf(made), limit: 9 })).toEqual([]);
      expect(await store.reopenDatastoreImports()).toEqual([]);
    });

    it("of one account that have not ended are bounded, and old ended ones are forgotten", async () => {
      const { world } = subject();
      const made = await add(world);
      const { store } = world;
      for (let n = 0; n < 5; n++) {
        const item = newImport(made);
        await store.addDatastoreImport({ item, max: 1, keep: 2 });
        await expect(store.addDatastoreImport({ item: newImport(made), max: 1, keep: 2 })).rejects.toMatchObject({
          code: "RATE_LIMITED",
        });
        await store.endDatastoreImport({ importId: item.id, status: "failed", error: FAILED, usage: USED, now: T0 });
      }
      expect(await store.listDatastoreImports({ ...keyOf(made), limit: 9 })).toHaveLength(3);
    });
  });
}

function describeFiles(subject: () => Subject): void {
  describe("files", () => {
    const unused = ({ store }: World, before = T0 + 1_000) => store.unusedDatastoreFiles({ before, limit: 10 });

    it("of a revision that was left are unused once no unfinished execution reads them", async () => {
      const { world } = subject();
      const made = await add(world);
      const key = keyOf(made);
      const { store } = world;
      await store.moveDatastore({ ...key, from: 0, to: revision(1), now: T0 });
      const lease = await start(world, reading(made.id, 1));
      const queued = execution(world.workflow, { ...reading(made.id, 1), runAt: T0 });
      await store.enqueue({ execution: queued });
      expect(await unused(world)).toEqual([]);
      await store.moveDatastore({ ...key, from: 1, to: revision(2), now: T0 + 5 });
      expect(await unused(world)).toEqual([]);
      await finish(world, lease);
      expect(await unused(world)).toEqual([]);
      const [claimed] = await claim(world);
      await finish(world, { executionId: queued.id, fence: claimed?.fence ?? 0 });
      expect(await unused(world, T0 + 5)).toEqual([]);
      const file = { ...key, base: 1 };
      expect(await unused(world)).toEqual([file]);
      await store.forgetDatastoreFile(file);
      expect(await unused(world)).toEqual([]);
      expect(await store.datastoreFiles()).toEqual([{ ...key, base: 2 }]);
    });

    it("stay while a debounced execution came to read them, and go with removed executions", async () => {
      const { world } = subject();
      const made = await add(world);
      const key = keyOf(made);
      const { store } = world;
      const gates = {
        slot: null,
        rate: null,
        debounce: { key: "k", delayMs: 60_000, maxWaitMs: 600_000 },
        isDirect: false,
      } as const;
      const late = { runAt: T0 + 60_000 };
      await store.enqueue({ execution: execution(world.workflow, late), gates });
      await store.moveDatastore({ ...key, from: 0, to: revision(1), now: T0 });
      const joined = execution(world.workflow, { ...reading(made.id, 1), ...late });
      expect((await store.enqueue({ execution: joined, gates })).debounced).toBe(true);
      await store.removeDatastore({ ...key, now: T0 });
      expect(await unused(world)).toEqual([]);
      expect(await store.datastoreFiles()).toEqual([{ ...key, base: 1 }]);
      await store.deleteWorkflow({ accountId: world.account.id, workflowId: world.workflow.id });
      expect(await unused(world)).toEqual([{ ...key, base: 1 }]);
    });
  });
}

/** Contract: datastores, their imports and their files. */
export function describeDatastores(subject: () => Subject): void {
  describe("stores of records", () => {
    describeRows(subject);
    describeImports(subject);
    describeFiles(subject);
  });
}
