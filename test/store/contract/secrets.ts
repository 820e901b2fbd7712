import { describe, expect, it } from "vitest";
import type { SealedValue, StoredSecret } from "../../../src/store/store.ts";
import type { Subject } from "../contract.ts";
import { T0 } from "../fixtures.ts";
import { addEndpoint } from "./webhooks.ts";

const OTHER = "account-2";

const secretOf = (accountId: string, name: string, changes: Partial<StoredSecret> = {}): StoredSecret => ({
  ...{ accountId, name, sealed: `sealed ${name}`, refs: null, hosts: null, createdAt: T0, updatedAt: T0 },
  ...changes,
});

/** Secrets of accounts, and the sealed texts of all kinds. */
export function describeSecrets(subject: () => Subject): void {
  describe("secrets", () => {
    it("are kept, replaced and removed, each account its own", async () => {
      const { store, account } = subject().world;
      const [a, other] = [secretOf(account.id, "A"), secretOf(OTHER, "A")];
      const handle = secretOf(account.id, "B", { refs: ["shop-*", "show"], hosts: ["a.example", "*.b.example:1"] });
      for (const secret of [a, other, handle]) await store.putSecret({ secret });
      const changed = { ...a, sealed: "new", hosts: ["h.example"], updatedAt: T0 + 5 };
      await store.putSecret({ secret: changed });
      const again = await subject().reopen();
      expect(await again.listSecrets()).toHaveLength(3);
      expect(await again.listSecrets()).toEqual(expect.arrayContaining([changed, other, handle]));
      expect(await again.removeSecret({ accountId: "account-3", name: "A" })).toBe(false);
      expect(await again.removeSecret({ accountId: account.id, name: "A" })).toBe(true);
      expect(await again.removeSecret({ accountId: account.id, name: "A" })).toBe(false);
      expect(await again.listSecrets()).toEqual(expect.arrayContaining([other, handle]));
    });

    it("and everything else that is sealed is listed, and replaced at its place alone", async () => {
      const { world } = subject();
      const { store, account, workflow } = world;
      const accountId = account.id;
      const endpoint = await addEndpoint(world, { secret: "first" });
      await store.rotateEndpoint({ accountId, endpointId: endpoint.id, secret: "second", formerUntil: T0, now: T0 });
      const own = `webhook secret of ${accountId}`;
      await store.writeSetting({ name: own, value: "own" });
      await store.writeSetting({ name: "another setting", value: "plain" });
      await store.putSecret({ secret: secretOf(accountId, "A") });
      await store.putSecret({ secret: secretOf(OTHER, "A") });
      await store.putSecret({ secret: secretOf(accountId, "B", { hosts: ["h.example"] }) });
      const text = '{"nodes":[{"config":{"webhook_secret":"hook"}}]}';
      await store.putGraph({
        ...{ accountId, workflowId: workflow.id, document: { versionId: "version-1", text } },
        triggers: [{ id: "trigger-1", nodeId: "n", secret: "hook", singleUse: true }],
      });
      const known: readonly SealedValue[] = [
        { kind: "endpoint", accountId, id: endpoint.id, text: "second" },
        { kind: "former", accountId, id: endpoint.id, text: "first" },
        { kind: "account", accountId, id: own, text: "own" },
        { kind: "trigger", accountId, id: "trigger-1", text: "hook" },
        { kind: "graph", accountId, id: "version-1", text },
        { kind: "secret", accountId, id: "A", text: "sealed A" },
        { kind: "secret", accountId: OTHER, id: "A", text: "sealed A" },
        { kind: "handle", accountId, id: "B", text: "sealed B" },
      ];
      const listed = await store.listSealed();
      expect(listed).toHaveLength(known.length);
      expect(listed).toEqual(expect.arrayContaining([...known]));
      const kept = known.filter((value) => value.accountId === OTHER);
      const values = known
        .filter((value) => value.accountId === accountId)
        .map((value) => ({ ...value, text: value.kind === "graph" ? text.replace('"hook"', '"new"') : "new" }));
      await store.replaceSealed({ values });
      await store.emptyLog();
      expect(await store.listSealed()).toEqual(expect.arrayContaining([...values, ...kept]));
      expect(await store.findTrigger({ triggerId: "trigger-1" })).toMatchObject({ secret: "new" });
    });
  });
}
