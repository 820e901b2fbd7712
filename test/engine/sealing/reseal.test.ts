import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PLACES } from "../../../src/engine/sealing/places.ts";
import { refuseNewKey, resealStore } from "../../../src/engine/sealing/reseal.ts";
import { withSealedGraphs } from "../../../src/engine/sealing/sealed-graphs.ts";
import { createSealer, type Sealer } from "../../../src/engine/sealing/sealer.ts";
import { createSqliteStore } from "../../../src/store/sqlite/store.ts";
import type { Store } from "../../../src/store/store.ts";
import { T0, worldOf } from "../../store/fixtures.ts";
import { type DataDir, makeDataDir } from "../../support/data-dir.ts";
import { filesWith } from "../../support/disk.ts";
import { rejectionOf } from "../../support/thrown.ts";

const HOOK = "hook-secret-of-an-earlier-version";
const HANDLE = JSON.stringify({ value: "value-of-a-handle", hosts: ["h.example"] });
const VERSION = "version-1";
const STRICT = { lost: "refuse", report: (error: unknown) => expect(error).toBeUndefined() } as const;

let dir: DataDir;
let store: Store;
let accountId: string;
beforeEach(async () => {
  dir = await makeDataDir();
  store = await createSqliteStore({ file: join(dir.path, "weft.db"), durability: "full" });
  const { account, workflow } = await worldOf(store);
  accountId = account.id;
  // As a server stored it that sealed nothing of graphs; large enough to have pages of its own.
  const node = { id: "n", type: "webhook", config: { webhook_secret: HOOK, note: "x".repeat(20_000) } };
  await store.putGraph({
    ...{ accountId, workflowId: workflow.id },
    document: { versionId: VERSION, text: JSON.stringify({ nodes: [node] }) },
    triggers: [{ id: "trigger-1", nodeId: "n", secret: HOOK, singleUse: true }],
  });
});
afterEach(async () => {
  await store.close();
  await dir.remove();
});

async function secretsAs(sealer: Sealer) {
  const graphs = withSealedGraphs(store, sealer);
  const text = (await graphs.graphDocument({ accountId, versionId: VERSION })) ?? "";
  const trigger = await graphs.findTrigger({ triggerId: "trigger-1" });
  return [JSON.parse(text).nodes[0].config.webhook_secret, trigger?.secret];
}

test("a new key may be made while nothing is sealed", async () => {
  await refuseNewKey(store, "refuse");
});

test("what was stored in plain text is sealed, and overwritten in the tables and in the log", async () => {
  expect(await filesWith(dir.path, HOOK)).not.toEqual([]);
  const sealer = createSealer([randomBytes(32)]);
  await resealStore(store, sealer, STRICT);
  expect(await filesWith(dir.path, HOOK)).toEqual([]);
  expect(await secretsAs(sealer)).toEqual([HOOK, HOOK]);
});

test("a new key takes over everything, so that the former may go; without either nothing changes", async () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)];
  const first = createSealer([old]);
  const sealed = first.seal(HANDLE, PLACES.handle(accountId, "KEY"));
  const secret = { accountId, name: "KEY", sealed, refs: null, hosts: ["h.example"], createdAt: T0, updatedAt: T0 };
  await store.putSecret({ secret });
  await resealStore(store, first, STRICT);
  const before = await store.listSealed();
  const keys = [first.keyId];
  const refused = await rejectionOf(resealStore(store, createSealer([fresh]), STRICT));
  expect(refused).toMatchObject({ code: "CONFLICT", details: { setting: "WEFT_SECRETS_KEY", keys } });
  expect(refused.message).toContain(`3 stored secrets are sealed with a key that is not there (${first.keyId})`);
  expect(await rejectionOf(refuseNewKey(store, "refuse"))).toMatchObject({ code: "CONFLICT", details: { keys } });
  await refuseNewKey(store, "keep");
  expect(await store.listSealed()).toEqual(before);
  const reported: unknown[] = [];
  const lenient = { lost: "keep", report: (error: unknown) => void reported.push(error) } as const;
  await resealStore(store, createSealer([fresh]), lenient);
  expect(reported.map(String)).toEqual(before.map(({ kind, id }) => expect.stringContaining(`${kind} ${id}: `)));
  expect(await store.listSealed()).toEqual(before);

  await resealStore(store, createSealer([fresh, old]), STRICT);
  const alone = createSealer([fresh]);
  expect(await secretsAs(alone)).toEqual([HOOK, HOOK]);
  const [handle] = await store.listSecrets();
  expect(alone.open(handle?.sealed ?? "", PLACES.handle(accountId, "KEY"))).toBe(HANDLE);
  await resealStore(store, alone, STRICT);
});

test("a lost key costs no graph: it comes without its secret, and its webhook lets nobody in", async () => {
  await resealStore(store, createSealer([randomBytes(32)]), STRICT);
  const other = createSealer([randomBytes(32)]);
  const [shown, asked] = await secretsAs(other);
  expect(shown).toBe("");
  expect(asked).toMatch(/^[\w-]{43}$/);
  expect((await secretsAs(other))[1]).not.toBe(asked);
});
