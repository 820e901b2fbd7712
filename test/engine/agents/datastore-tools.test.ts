import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestCore, type TestCore } from "../../support/core.ts";
import { type ModelStub, startModelStub } from "../../support/model-stub.ts";
import { fill } from "../datastores/fill.ts";

let core: TestCore;
let stub: ModelStub;

beforeAll(async () => {
  stub = await startModelStub();
  core = await startTestCore({ OPENAI_API_KEY: "sk-test-key-of-search", OPENAI_BASE_URL: stub.url });
  await fill(core, "rulings", [
    { id: "1", text: "wool coats are garments" },
    { id: "2", text: "steel bolts are fasteners" },
  ]);
});
afterAll(async () => {
  await core.close();
  await stub.close();
  expect(core.reported).toEqual([]);
});

const { stringify } = JSON;
const messages = [{ role: "user", content: "What are coats?" }];
const lastToolText = () => {
  const sent = stub.calls.at(-1)?.body["messages"] as readonly { readonly role: string; readonly content: string }[];
  return sent.findLast(({ role }) => role === "tool")?.content ?? "";
};

test("an agent's own workflow may read the datastores that its tools search", async () => {
  const { accountId, agents } = core;
  const tools = [{ type: "datastore", datastore: "rulings", top_k: 1 }];
  await agents.put({ accountId, definition: { name: "clerk", tools }, notes: "", activate: true, expects: "new" });
  const call = await agents.toCall({ accountId, key: "clerk" });
  stub.script(
    { toolCalls: [{ name: "search_rulings", arguments: stringify({ query: "coats" }) }] },
    { content: "garments" },
  );
  const result = await core.run(call.ref, { messages });
  expect(result).toMatchObject({ status: "completed", content: "garments" });
  expect(JSON.parse(lastToolText())).toMatchObject([{ id: "1", data: { text: "wool coats are garments" } }]);
});

test("a script that has not attached the datastore is told how, by the tool's error", async () => {
  await core.deploy("careless", `export const execute = (ctx) => ctx.agents.run("clerk", "coats?")`);
  stub.script({ toolCalls: [{ name: "search_rulings", arguments: stringify({ query: "coats" }) }] });
  await core.run("careless", { messages });
  expect(lastToolText()).toMatch(/^Error: search_rulings failed: datastore: "rulings" is not attached/);
});

test("a datastore that does not exist is told before the agent runs", async () => {
  const { accountId, agents } = core;
  const tools = [{ type: "datastore", datastore: "gone" }];
  await agents.put({ accountId, definition: { name: "lost", tools }, notes: "", activate: true, expects: "new" });
  await expect(agents.toCall({ accountId, key: "lost" })).rejects.toMatchObject({
    code: "INVALID_REQUEST",
    message: expect.stringContaining('there is no datastore "gone"'),
  });
});
