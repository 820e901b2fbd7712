import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Scope } from "../../runtime/capabilities/capability.ts";
import { findOp } from "../../runtime/capabilities/index.ts";
import { createDatastoreAccess, type DatastoreAccess } from "../../runtime/datastores/access.ts";
import { createEgressClient } from "../../runtime/egress/client.ts";
import type { DatastoreAt } from "../../runtime/execution.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { createModelClient, type ModelClient } from "../../runtime/models/client.ts";
import { parseModels } from "../../runtime/models/config.ts";
import type { Services } from "../../runtime/services.ts";
import { createMcpSessions } from "../../runtime/tools/mcp/sessions.ts";
import { keepDirectory, schemaOf, writeFile } from "../runtime/datastores/fixture.ts";
import { type TestCall, testCall } from "./op-call.ts";

const ID = "ds_0123456789abcdef0123456789abcdef";
const RECORDS = [
  { id: "a", data: { text: "garden hose" }, vector: [1, 0, 0, 0] },
  { id: "b", data: { text: "desk lamp" }, vector: [0, 1, 0, 0] },
];

let access: DatastoreAccess;
let elsewhere: DatastoreAccess;
let models: ModelClient;
let services: Services;

beforeAll(async () => {
  const root = await keepDirectory();
  const directory = join(root, "account", ID);
  await mkdir(directory, { recursive: true });
  await mkdir(join(root, "temporary"));
  const source = { fields: ["text"], model: "echo" };
  const vector = { field: "embedding", dimensions: 4, source };
  await writeFile(schemaOf({ text: "text" }, { textFields: ["text"], vector }), RECORDS, directory);
  const plain = join(root, "account", ID.replace("0123", "4567"));
  await mkdir(plain);
  await writeFile(schemaOf({ text: "text" }), [{ id: "a", data: { text: "x" } }], plain);
  access = createDatastoreAccess({ root, limits: DEFAULT_LIMITS });
  elsewhere = createDatastoreAccess({ root: null, limits: DEFAULT_LIMITS });
  models = createModelClient(parseModels({ file: null, env: {} }));
  const egress = createEgressClient({ allowPrivate: [] });
  services = { egress, models, mcp: createMcpSessions({ egress }), datastores: access };
});
afterAll(async () => {
  await Promise.all([access.close(), elsewhere.close(), models.close(), services.egress.close()]);
});

const AT: Readonly<Record<string, DatastoreAt>> = {
  notes: { id: ID, base: 1, revision: 1 },
  plain: { id: ID.replace("0123", "4567"), base: 1, revision: 1 },
  empty: { id: ID, base: 0, revision: 0 },
  wrong: { id: "../../etc", base: 1, revision: 1 },
};

async function ask(
  op: string,
  args: object,
  datastores: DatastoreAccess = access,
): Promise<{ readonly value: unknown; readonly call: TestCall }> {
  const found = findOp(op);
  if (found === undefined) throw new Error(`there is no op ${op}`);
  const made = testCall({ services, job: { accountId: "account" } });
  const scope: Scope = { ...made.scope, datastores: AT };
  const call = { ...made, scope, services: { ...services, datastores } };
  return { value: JSON.parse(await found.run(found.parse(args, scope), call)), call };
}

const answerOf = async (op: string, args: object) => (await ask(op, args)).value;

describe("ctx.datastore", () => {
  test("reads at the revision that the execution has", async () => {
    expect(await answerOf("datastore.get", { store: "notes", ids: ["b", "zz"] })).toEqual([
      { text: "desk lamp" },
      null,
    ]);
    expect(await answerOf("datastore.count", { store: "notes" })).toBe(2);
    expect(await answerOf("datastore.scan", { store: "notes", params: { limit: 1 } })).toMatchObject({
      records: [{ id: "a" }],
    });
    const found = await answerOf("datastore.search", { store: "notes", params: { query: "lamp" } });
    expect(found).toMatchObject([{ id: "b" }]);
    const sql = "SELECT text FROM notes WHERE text LIKE ?";
    expect(await answerOf("datastore.query", { store: "notes", sql, params: ["g%"] })).toMatchObject({
      rows: [{ text: "garden hose" }],
    });
  });

  test("answers for a datastore without records as for one where nothing is found", async () => {
    expect(await answerOf("datastore.get", { store: "empty", ids: ["a"] })).toEqual([null]);
    expect(await answerOf("datastore.count", { store: "empty" })).toBe(0);
    expect(await answerOf("datastore.scan", { store: "empty" })).toEqual({ records: [], after: null });
    expect(await answerOf("datastore.search", { store: "empty", params: { query: "x" } })).toEqual([]);
    expect(await answerOf("datastore.query", { store: "empty", sql: "SELECT 1" })).toMatchObject({ rows: [] });
    expect(await answerOf("datastore.embed", { store: "empty", query: "x" })).toBeNull();
  });

  test("makes a search's text into a vector by the model of the datastore, and says what it took", async () => {
    const { value, call } = await ask("datastore.embed", { store: "notes", query: "two words" });
    expect(value).toHaveLength(4);
    expect(call.metered.at(-1)).toMatchObject({ promptTokens: 2, model: "echo" });
    await expect(ask("datastore.embed", { store: "plain", query: "x" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining('"plain" has none'),
    });
  });

  test.each([
    ["datastore.get", { ids: ["a"] }, "store must be the name of a datastore"],
    ["datastore.get", { store: "notes", ids: "a" }, "ids must be a list"],
    ["datastore.get", { store: "notes", ids: [{}] }, "ids.0 must be a text or a number"],
    ["datastore.get", { store: "notes", ids: Array.from({ length: 1_001 }, String) }, "1001 ids, over 1000"],
    ["datastore.count", { store: "notes", filter: [] }, "filter must be an object"],
    ["datastore.search", { store: "notes", params: "x" }, "search must be an object"],
    ["datastore.query", { store: "notes", sql: 1 }, "sql must be a text"],
    ["datastore.query", { store: "notes", sql: "SELECT 1", params: 1 }, "params must be a list or an object"],
    ["datastore.embed", { store: "notes", query: " " }, "query must be a text"],
    ["datastore.get", { store: "wrong", ids: ["a"] }, "the id is not one of a datastore"],
  ])("%s refuses %j", async (op, args, message) => {
    await expect(ask(op, args)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining(message),
    });
  });

  test("is denied for what is not attached, and where there are no datastores", async () => {
    for (const store of ["other", "constructor", "__proto__"])
      await expect(ask("datastore.count", { store })).rejects.toMatchObject({
        code: "CAPABILITY_DENIED",
        message: expect.stringContaining("is not attached to this workflow"),
      });
    await expect(ask("datastore.count", { store: "notes" }, elsewhere)).rejects.toMatchObject({
      code: "CAPABILITY_DENIED",
      message: expect.stringContaining("no datastores here"),
    });
  });
});
