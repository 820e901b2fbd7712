import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { FileQuota, Lease, StoredFile } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { finish, start, T0, type World } from "../fixtures.ts";

const QUOTA: FileQuota = { maxAccountFileBytes: 1_000, maxFiles: 2 };
const HASH = "ab".repeat(32);

function fileOf({ account }: World, changes: Partial<StoredFile> = {}): StoredFile {
  return {
    id: randomUUID(),
    accountId: account.id,
    name: 'naïve "file" \u{1F4C4}.txt',
    contentType: "text/plain",
    bytes: 100,
    hash: HASH,
    scopeType: null,
    scopeId: null,
    executionId: null,
    pos: null,
    createdAt: T0,
    until: null,
    ...changes,
  };
}

async function add(world: World, changes: Partial<StoredFile> = {}): Promise<StoredFile> {
  const file = fileOf(world, changes);
  await world.store.addFile({ file, quota: QUOTA });
  return file;
}

function addOutput(world: World, lease: Lease, changes: Partial<StoredFile> = {}): Promise<StoredFile> {
  const file = fileOf(world, { executionId: lease.executionId, pos: 0, ...changes });
  return world.store.addOutput({ file, lease, quota: QUOTA });
}

/** Contract: files. */
export function describeFiles(subject: () => Subject): void {
  describe("files", () => {
    it("are found by their account only, and are the same after a restart", async () => {
      const { world, reopen } = subject();
      const file = await add(world, { scopeType: "chat", scopeId: "7" });
      const { id: fileId, accountId } = file;
      expect(await world.store.findFile({ accountId, fileId })).toEqual(file);
      const store = await reopen();
      expect(await store.findFile({ accountId, fileId })).toEqual(file);
      expect(await store.findFile({ accountId: "other", fileId })).toBeNull();
      expect(await store.fileOfLink({ fileId })).toEqual(file);
      expect(await store.fileOfLink({ fileId: randomUUID() })).toBeNull();
      expect(await store.removeFile({ accountId: "other", fileId })).toBe(false);
      expect(await store.listFiles({ accountId: "other", after: null, limit: 9 })).toEqual([]);
      expect(await store.fileTotals({ accountId: "other" })).toEqual({ files: 0, bytes: 0 });
    });

    it("are listed newest first, page by page, also when one of them goes in between", async () => {
      const { world } = subject();
      const { store, account } = world;
      const ids = ["a", "b", "c"].map((letter) => randomUUID().replace(/^./, letter));
      for (const [at, id] of ids.entries()) await add(world, { id, createdAt: T0 + Math.min(at, 1) });
      const page = (after: StoredFile | null) => store.listFiles({ accountId: account.id, after, limit: 2 });
      const first = await page(null);
      expect(first.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
      const last = first[1] as StoredFile;
      await store.removeFile({ accountId: account.id, fileId: last.id });
      expect((await page(last)).map(({ id }) => id)).toEqual([ids[0]]);
    });

    it("are counted against the quota of their account, those that are awaited too", async () => {
      const { world } = subject();
      const { store, account } = world;
      const { id: accountId } = account;
      const first = await add(world, { bytes: 600, hash: null, until: T0 + 1 });
      const over = { code: "PAYLOAD_TOO_LARGE", details: { limit: "maxAccountFileBytes", value: 1_000 } };
      await expect(add(world, { bytes: 401 })).rejects.toMatchObject(over);
      await add(world, { bytes: 400 });
      await add(world, { bytes: 1_000, accountId: "other" });
      expect(await store.fileTotals({ accountId })).toEqual({ files: 2, bytes: 1_000 });
      await store.removeFile({ accountId, fileId: first.id });
      expect(await store.fileTotals({ accountId })).toEqual({ files: 1, bytes: 400 });
    });

    it("that are awaited get a content of their size once, in time", async () => {
      const { world } = subject();
      const { store } = world;
      const file = await add(world, { hash: null, until: T0 + 10 });
      const complete = (bytes: number, now: number) =>
        store.completeUpload({ fileId: file.id, hash: HASH, bytes, now });
      expect(await complete(99, T0)).toBe(false);
      expect(await complete(100, T0 + 10)).toBe(false);
      expect(await complete(100, T0 + 9)).toBe(true);
      expect(await complete(100, T0 + 9)).toBe(false);
      expect(await store.fileOfLink({ fileId: file.id })).toEqual({ ...file, hash: HASH, until: null });
      await add(world, { hash: null, until: T0 + 10 });
      expect(await store.pruneUploads({ now: T0 + 10, max: 9 })).toBe(0);
      expect(await store.pruneUploads({ now: T0 + 11, max: 9 })).toBe(1);
      expect(await store.fileTotals({ accountId: file.accountId })).toEqual({ files: 1, bytes: 100 });
    });

    it("leave their content loose when they go; one that another file has is used", async () => {
      const { world, reopen } = subject();
      const { accountId } = fileOf(world);
      await world.store.noteLoose({ hash: HASH });
      await world.store.noteLoose({ hash: HASH });
      expect(await world.store.isContentUsed({ hash: HASH })).toBe(false);
      const [one, two] = [await add(world), await add(world)];
      await world.store.forgetLoose({ hash: HASH });
      expect(await world.store.listLoose({ limit: 9 })).toEqual([]);
      await world.store.removeFile({ accountId, fileId: one.id });
      expect(await world.store.isContentUsed({ hash: HASH })).toBe(true);
      await world.store.removeFile({ accountId, fileId: two.id });
      const store = await reopen();
      expect(await store.listLoose({ limit: 9 })).toEqual([HASH]);
      expect(await store.isContentUsed({ hash: HASH })).toBe(false);
      await store.forgetLoose({ hash: HASH });
      expect(await store.listLoose({ limit: 9 })).toEqual([]);
    });

    it("of an execution are written once for each op, by the holder of its lease, within the limits", async () => {
      const { world } = subject();
      const { store, account } = world;
      const lease = await start(world);
      const { executionId } = lease;
      const first = await addOutput(world, lease, { pos: 4 });
      expect(await addOutput(world, lease, { pos: 4, createdAt: T0 + 5 })).toEqual(first);
      const other = await addOutput(world, lease, { pos: 4, id: first.id, name: "other", hash: "cd".repeat(32) });
      expect(await store.listOutputs({ accountId: account.id, executionId })).toEqual([other]);
      expect(await store.listLoose({ limit: 9 })).toEqual([HASH]);
      const old = { ...lease, fence: lease.fence - 1 };
      await expect(addOutput(world, old, { pos: 5 })).rejects.toMatchObject({ code: "CONFLICT" });
      const tooLarge = { code: "LIMIT_EXCEEDED", details: { limit: "maxAccountFileBytes" } };
      await expect(addOutput(world, lease, { pos: 5, bytes: 901 })).rejects.toMatchObject(tooLarge);
      await addOutput(world, lease, { pos: 2 });
      const tooMany = { code: "LIMIT_EXCEEDED", details: { limit: "maxFiles", value: 3 } };
      await expect(addOutput(world, lease, { pos: 6 })).rejects.toMatchObject(tooMany);
      const outputs = await store.listOutputs({ accountId: account.id, executionId });
      expect(outputs.map(({ pos }) => pos)).toEqual([2, 4]);
      expect(await store.listOutputs({ accountId: "other", executionId })).toEqual([]);
      await finish(world, lease);
      await expect(addOutput(world, lease, { pos: 7 })).rejects.toMatchObject({ code: "CONFLICT" });
    });

    it("of an execution go with it, whatever removes it", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const { id: accountId } = account;
      const [one, two] = [await start(world), await start(world)];
      const other = "cd".repeat(32);
      await addOutput(world, one);
      await addOutput(world, two, { hash: other });
      await finish(world, one);
      await store.removeExecution({ accountId, executionId: one.executionId, results: false });
      expect(await store.listLoose({ limit: 9 })).toEqual([HASH]);
      await store.deleteWorkflow({ accountId, workflowId: workflow.id });
      expect(await store.listLoose({ limit: 9 })).toEqual([HASH, other]);
      expect(await store.listFiles({ accountId, after: null, limit: 9 })).toEqual([]);
      expect(await store.fileTotals({ accountId })).toEqual({ files: 0, bytes: 0 });
    });
  });
}
