import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../support/server.ts";
import { weft } from "./capture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ WEFT_WORKERS: "1" });
});
afterAll(() => server.close());

const as = (key: string, ...args: readonly string[]) =>
  weft(args, { env: { WEFT_URL: server.url, WEFT_API_KEY: key } });
const cli = (...args: readonly string[]) => as(server.apiKey, ...args);

test("keys are made, listed, changed, rotated and revoked; a new key alone is on stdout", async () => {
  const rights = ["--scope", "read", "--scope", "deploy", "--expires", "90d", "--requests-per-minute", "60"];
  const made = await cli("keys", "create", "ci", ...rights);
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^weft_[\w-]{43}\n$/) });
  expect(made.err).toContain('"ci": it is not shown again');
  const key = made.out.trim();
  expect((await as(key, "list")).code).toBe(0);
  expect(await as(key, "keys")).toMatchObject({ code: 4, err: expect.stringContaining("this needs admin") });
  expect(JSON.parse((await as(key, "keys", "current", "--json")).out)).toMatchObject({ name: "ci" });
  const listed = await cli("keys");
  expect(listed.out).toMatch(/^id +name +begins +scopes +workflows +limits +expires +last used\n/);
  expect(listed.out).toMatch(/ci +weft_[\w-]+… +read deploy +all +60\/min +20\d\d-/);
  const changed = await cli("keys", "change", "ci", "--ref", "shop-*", "--expires", "never", "--concurrency", "2");
  expect(changed.out).toMatch(/read deploy +shop-\* +60\/min, 2 open +never/);
  const rotated = await cli("keys", "rotate", "ci", "--overlap", "1h");
  expect(rotated.out).toMatch(/^weft_/);
  expect(await cli("keys", "revoke", "ci")).toMatchObject({ code: 4, err: expect.stringContaining("2 keys named") });
  expect((await cli("keys", "revoke", key.slice(0, 9))).out).toContain("is revoked");
  expect((await as(key, "keys", "current")).code).toBe(4);
  expect((await as(rotated.out.trim(), "keys", "current")).code).toBe(0);
});

test("accounts are made, limited, suspended and resumed", async () => {
  const made = await cli("accounts", "create", "team", "--concurrency", "5");
  const key = made.out.trim();
  expect(key).toMatch(/^weft_[\w-]{43}$/);
  expect((await as(key, "list")).code).toBe(0);
  expect(await as(key, "accounts")).toMatchObject({ code: 4, err: expect.stringContaining("owner's own account") });
  const app = await cli("keys", "create", "app", "--account", "team");
  expect(JSON.parse((await as(app.out.trim(), "keys", "current", "--json")).out)).toMatchObject({
    scopes: ["invoke"],
    account: { name: "team" },
  });
  expect((await cli("accounts", "limit", "team", "--requests-per-minute", "90")).out).toContain("90/min, 5 open");
  expect((await cli("accounts", "suspend", "team")).out).toContain("suspended");
  expect((await as(key, "list")).err).toContain("suspended");
  expect((await cli("accounts", "resume", "team")).out).toContain("active");
  expect((await cli("accounts")).out).toMatch(/^name +id +state +limits\n/);
});

test("the audit log is printed for people and exported as one JSON object per line", async () => {
  const shown = await cli("audit");
  expect(shown.out).toMatch(/owner {2}127\.0\.0\.1 {2}201 {2}POST \/api\/v1\/keys {2}name="ci"/);
  const lines = (await cli("audit", "--json", "--account", "owner")).out.trim().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as { readonly seq: number });
  expect(entries.length).toBeGreaterThan(4);
  const last = entries.at(-1)?.seq ?? 0;
  const rest = await cli("audit", "--json", "--after", String(last - 1));
  expect(JSON.parse(rest.out)).toMatchObject({ seq: last });
});

test("wrong flags say what is right", async () => {
  expect((await cli("keys", "create")).err).toContain("create: needs a name");
  expect((await cli("keys", "create", "x", "--expires", "soon")).err).toContain(
    "--expires: must be a time such as 90d",
  );
  expect((await cli("keys", "create", "x", "--concurrency", "0")).err).toContain(
    "--concurrency: must be a whole number",
  );
  expect((await cli("keys", "change", "owner")).err).toContain("change: needs a flag");
  expect((await cli("keys", "revoke", "nobody")).err).toContain('there is no key named "nobody"');
  expect((await cli("accounts", "limit", "team")).err).toContain("limit: needs");
  expect((await cli("audit", "--after", "x")).err).toContain("--after: must be a whole number");
});
