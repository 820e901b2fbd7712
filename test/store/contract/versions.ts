import { describe, expect, it } from "vitest";
import type { Subject } from "../contract.ts";
import { CODE, sha256, T0, version } from "../fixtures.ts";

/** Contract: versions, bundles and files. */
export function describeVersions(subject: () => Subject): void {
  describe("versions", () => {
    it("are stored with their code, and activated only when asked", async () => {
      const { store, account, workflow } = subject().world;
      const first = version(workflow);
      await store.addVersion({ version: first, code: CODE, activate: false });
      expect(await store.findVersion({ accountId: account.id, versionId: first.id })).toEqual(first);
      expect(await store.versionCode({ accountId: account.id, versionId: first.id })).toEqual(CODE);
      expect(await store.bundleCode({ hash: first.bundleHash })).toBe(CODE.code);
      expect((await store.findWorkflow({ accountId: account.id, key: "summarize" }))?.activeVersionId).toBeNull();
      const second = version(workflow, { number: "1.0.1", createdAt: T0 + 4 });
      await store.addVersion({ version: second, code: CODE, activate: true });
      const active = await store.findWorkflow({ accountId: account.id, key: "summarize" });
      expect(active).toMatchObject({ activeVersionId: second.id, updatedAt: T0 + 4 });
      const listed = await store.listVersions({ accountId: account.id, workflowId: workflow.id });
      expect(listed).toEqual([second, first]);
    });

    it("refuse a number that exists, leaving the first untouched", async () => {
      const { store, account, workflow } = subject().world;
      const first = version(workflow);
      await store.addVersion({ version: first, code: CODE, activate: true });
      const again = store.addVersion({
        version: version(workflow, { bundleHash: sha256("x") }),
        code: CODE,
        activate: true,
      });
      await expect(again).rejects.toMatchObject({
        code: "CONFLICT",
        message: "Version 1.0.0 of this workflow already exists.",
      });
      expect((await store.findWorkflow({ accountId: account.id, key: "summarize" }))?.activeVersionId).toBe(first.id);
      expect(await store.bundleCode({ hash: sha256("x") })).toBeNull();
    });

    it("refuse an unknown workflow and accessories whose content is missing", async () => {
      const { store, workflow } = subject().world;
      const lost = version({ ...workflow, id: "gone" });
      await expect(store.addVersion({ version: lost, code: CODE, activate: true })).rejects.toMatchObject({
        code: "WORKFLOW_NOT_FOUND",
      });
      const accessories = { rules: { hash: sha256("rules"), bytes: 5, filename: "rules.txt" } };
      const bare = version(workflow, { accessories });
      await expect(store.addVersion({ version: bare, code: CODE, activate: true })).rejects.toMatchObject({
        code: "CONFLICT",
      });
      await store.putBlob({ hash: sha256("rules"), bytes: Buffer.from("rules") });
      await store.addVersion({ version: bare, code: CODE, activate: true });
      expect((await store.findVersion({ accountId: workflow.accountId, versionId: bare.id }))?.accessories).toEqual(
        accessories,
      );
    });

    it("take accessories whose content is noted, which is used from then on and loose when the workflow goes", async () => {
      const { store, account, workflow } = subject().world;
      const hash = sha256("large");
      await store.noteLoose({ hash });
      const accessories = { large: { hash, bytes: 5, filename: "large" } };
      await store.addVersion({ version: version(workflow, { accessories }), code: CODE, activate: true });
      await store.forgetLoose({ hash });
      expect(await store.isContentUsed({ hash })).toBe(true);
      // A later version keeps it without bringing it again.
      const later = version(workflow, { number: "1.1.0", accessories });
      await store.addVersion({ version: later, code: CODE, activate: true });
      await store.deleteWorkflow({ accountId: account.id, workflowId: workflow.id });
      expect([await store.isContentUsed({ hash }), await store.listLoose({ limit: 9 })]).toEqual([false, [hash]]);
    });

    it("are switched by activateVersion, which refuses those of another workflow", async () => {
      const { store, account, workflow } = subject().world;
      const first = version(workflow);
      await store.addVersion({ version: first, code: CODE, activate: true });
      await store.addVersion({ version: version(workflow, { number: "1.1.0" }), code: CODE, activate: true });
      await store.activateVersion({ accountId: account.id, workflowId: workflow.id, versionId: first.id, now: T0 + 8 });
      expect(await store.findWorkflow({ accountId: account.id, key: "summarize" })).toMatchObject({
        activeVersionId: first.id,
        updatedAt: T0 + 8,
      });
      const wrong = store.activateVersion({
        accountId: account.id,
        workflowId: workflow.id,
        versionId: "nope",
        now: T0,
      });
      await expect(wrong).rejects.toMatchObject({ code: "VERSION_NOT_FOUND" });
      expect(await store.findVersion({ accountId: "other", versionId: first.id })).toBeNull();
      expect(await store.versionCode({ accountId: "other", versionId: first.id })).toBeNull();
    });

    it("get other sources for the same bundle in place", async () => {
      const { store, account, workflow } = subject().world;
      const first = version(workflow);
      await store.addVersion({ version: first, code: CODE, activate: true });
      const versionId = first.id;
      const other = { sourceMap: '{"version":3}', sources: '[{"path":"main.ts","text":"// new"}]' };
      await store.replaceSources({ accountId: account.id, versionId, ...other });
      expect(await store.versionCode({ accountId: account.id, versionId })).toEqual({ ...CODE, ...other });
      expect(await store.findVersion({ accountId: account.id, versionId })).toEqual(first);
      for (const wrong of [
        { accountId: "other", versionId },
        { accountId: account.id, versionId: "nope" },
      ]) {
        await expect(store.replaceSources({ ...wrong, ...CODE })).rejects.toMatchObject({ code: "VERSION_NOT_FOUND" });
      }
      expect(await store.versionCode({ accountId: account.id, versionId })).toEqual({ ...CODE, ...other });
    });

    it("keep files by content hash, empty and binary ones too", async () => {
      const { store } = subject().world;
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
      await store.putBlob({ hash: "all", bytes });
      await store.putBlob({ hash: "all", bytes });
      await store.putBlob({ hash: "none", bytes: new Uint8Array() });
      expect(Buffer.from((await store.readBlob({ hash: "all" })) ?? "").equals(bytes)).toBe(true);
      expect((await store.readBlob({ hash: "none" }))?.length).toBe(0);
      expect(await store.readBlob({ hash: "other" })).toBeNull();
    });
  });
}
