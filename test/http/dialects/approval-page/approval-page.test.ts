import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../support/until.ts";
import { type Service, startService } from "../../service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

type Json = Readonly<Record<string, unknown>>;

const dataOf = async (response: Response) => ((await response.json()) as { readonly data: Json }).data;

const SCHEMA = `{ type: "object", required: ["amount"], properties: {
  amount: { type: "number", title: "Amount <€>", maximum: 9 }, note: { type: "string" }, fast: { type: "boolean" },
  why: { enum: ["lost", "late", 3] } } }`;

/** Starts a run that asks; resolves to the question as the API lists it. */
async function ask(ref: string, question: string): Promise<Json> {
  await service.deploy(ref, `export const execute = (ctx) => ctx.approve(${question});`);
  const { id } = (await (await service.invoke(ref, { input: {}, background: true })).json()) as Json;
  return until(async () => {
    const list = (await (await service.send("/api/v1/approvals?limit=100")).json()) as {
      readonly data: readonly Json[];
    };
    return list.data.find((item) => item["run"] === id);
  });
}

const outputOf = ({ run }: Json) =>
  until(async () => {
    const shown = await dataOf(await service.send(`/api/v1/runs/${run}`));
    return shown["status"] === "completed" ? (shown["output"] as Json) : null;
  });

const linkOf = ({ link }: Json): string => String(link);

function submit(link: string, fields: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(link, { method: "POST", body: new URLSearchParams(fields) });
}

describe("the page of a question", () => {
  test("needs no key, loads nothing, runs nothing and escapes everything", async () => {
    const hostile = `</pre><script>alert(1)</script>"'&`;
    const text = JSON.stringify(hostile);
    const question = await ask(
      "page",
      `{ title: ${text}, description: ${text}, data: { a: ${text} }, approvers: [${text}], schema: ${SCHEMA} }`,
    );
    expect(linkOf(question)).toMatch(new RegExp(`^${service.url}/approve/`));
    const response = await fetch(linkOf(question));
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(page).not.toMatch(/<script|src=|href=|alert\(1\)<\/script>/);
    expect(page.split("&lt;/pre&gt;&lt;script&gt;")).toHaveLength(7);
    expect(page).toContain('<label for="field.amount">Amount &lt;€&gt;</label><input type="number" step="any"');
    expect(page).toContain('<input type="checkbox" id="field.fast"');
    expect(page).toContain('<option value="&quot;lost&quot;">lost</option>');
    expect(page).toContain('<option value="3">3</option>');
  });

  test("takes the form once, with who, when and from where", async () => {
    const question = await ask("form", `{ title: "Refund?", schema: ${SCHEMA} }`);
    const link = linkOf(question);
    const entered = { decision: "approve", name: "Ada <3", comment: "ok", "field.why": '"late"', "field.note": "" };
    const refused = await submit(link, { ...entered, "field.amount": "10" });
    const page = await refused.text();
    expect(refused.status).toBe(400);
    expect(page).toContain('<p role="alert">data/amount: must be &lt;= 9</p>');
    expect(page).toContain('value="Ada &lt;3"');
    expect(page).toContain('<option value="&quot;late&quot;" selected>');
    expect((await submit(link, { ...entered, name: " ", "field.amount": "1" })).status).toBe(400);

    const taken = await submit(link, { ...entered, "field.amount": "8.5" });
    expect(taken.status).toBe(200);
    expect(await taken.text()).toContain("Decided by Ada &lt;3.");
    expect(await outputOf(question)).toEqual({
      approved: true,
      data: { amount: 8.5, why: "late", fast: false },
      by: "Ada <3",
      at: expect.any(Number),
      comment: "ok",
      timed_out: false,
      via: "link",
      address: "127.0.0.1",
    });
    const again = await submit(link, { ...entered, decision: "reject" });
    expect(again.status).toBe(409);
    expect(await again.text()).toContain("It was approved by Ada &lt;3 already.");
    expect((await fetch(link)).status).toBe(409);
  });

  test("asks for JSON where a form cannot show the schema, and rejects without any", async () => {
    const question = await ask(
      "nested",
      `{ title: "JSON", schema: { type: "object", properties: { a: { type: "array" } } } }`,
    );
    const link = linkOf(question);
    expect(await (await fetch(link)).text()).toContain('<textarea id="data" name="data"');
    const bad = await submit(link, { decision: "approve", name: "Ada", data: "{" });
    expect([bad.status, await bad.text()]).toEqual([400, expect.stringContaining("data: is not JSON")]);
    const deep = `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    const over = await submit(link, { decision: "approve", name: "Ada", data: deep });
    expect([over.status, await over.text()]).toEqual([400, expect.stringContaining("nested over 500 levels deep")]);
    expect((await submit(link, { decision: "reject", name: "Ada", data: "{" })).status).toBe(200);
    expect(await outputOf(question)).toMatchObject({ approved: false, data: null });
  });

  test("offers the names that may decide, and takes no other", async () => {
    const question = await ask("named", `{ title: "Who?", approvers: ["Ada", "Grace"] }`);
    const link = linkOf(question);
    expect(await (await fetch(link)).text()).toContain('<option value="&quot;Grace&quot;">Grace</option>');
    expect((await submit(link, { decision: "approve", name: '"Eve"' })).status).toBe(400);
    expect((await submit(link, { decision: "approve", name: '"Grace"' })).status).toBe(200);
    expect(await outputOf(question)).toMatchObject({ by: "Grace" });
  });

  test("takes JSON, too, and answers in kind", async () => {
    const question = await ask("json", `{ title: "JSON?" }`);
    const post = (body: unknown, link = linkOf(question)) =>
      fetch(link, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const refused = await post({ approved: "yes", name: "bot" });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: "approved" } }]);
    expect(await dataOf(await post({ approved: true, name: "bot", data: [1] }))).toMatchObject({ status: "decided" });
    const again = await post({ approved: true, name: "bot" });
    expect([again.status, await again.json()]).toMatchObject([409, { error: { code: "conflict" } }]);
    expect((await post({ approved: true, name: "bot" }, `${linkOf(question)}x`)).status).toBe(404);
  });

  test("refuses a body that is neither a form nor JSON, or missing", async () => {
    const link = linkOf(await ask("bodies", `{ title: "Bodies?" }`));
    const multipart = new FormData();
    multipart.set("decision", "approve");
    const bodies = [
      { body: multipart },
      {},
      { headers: { "content-type": "application/json" } },
      { headers: { "content-type": "application/json" }, body: "null" },
      { headers: { "content-type": "application/json; charset=utf-8" }, body: "[]" },
      { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "" },
      { headers: { "content-type": "application/x-www-form-urlencodedx" }, body: "decision=approve&name=Eve" },
      { headers: { "content-type": "text/plain" }, body: "approve" },
    ];
    for (const init of bodies) {
      const { status } = await fetch(link, { method: "POST", ...init });
      expect([init, [400, 415].includes(status) ? "refused" : status]).toEqual([init, "refused"]);
    }
    expect(service.reported).toEqual([]);
  });

  test("is not found by a link that this server did not sign, and gone when the run is over", async () => {
    for (const path of ["x", "0".repeat(32), `${"0".repeat(32)}.abc.${"A".repeat(43)}`, "%00", "..%2f"]) {
      const response = await fetch(`${service.url}/approve/${path}`);
      expect(response.status).toBe(404);
      expect((await submit(`${service.url}/approve/${path}`, { decision: "approve", name: "Eve" })).status).toBe(404);
    }
    const question = await ask("gone", `{ title: "Gone" }`);
    await service.post(`/api/v1/runs/${question["run"]}/cancel`, {});
    const response = await fetch(linkOf(question));
    expect([response.status, await response.text()]).toEqual([410, expect.stringContaining("Its run is over.")]);
    expect((await submit(linkOf(question), { decision: "approve", name: "Eve" })).status).toBe(409);
  });
});

describe("questions over the API", () => {
  test("are listed, read and decided with a key, which is named", async () => {
    const question = await ask("api", `{ title: "By key?", data: 1, timeout: "1h" }`);
    const { id, run } = question;
    expect(question).toMatchObject({ object: "approval", status: "open", title: "By key?", data: 1, decision: null });
    const shown = await dataOf(await service.send(`/api/v1/runs/${run}`));
    expect(shown["waiting_for"]).toEqual([
      {
        kind: "approval",
        name: "By key?",
        since: question["created_at"],
        until: question["expires_at"],
        id,
        link: question["link"],
      },
    ]);
    const path = `/api/v1/approvals/${id}`;
    expect(await dataOf(await service.send(path))).toEqual(question);
    expect((await fetch(`${service.url}${path}`)).status).toBe(401);
    expect((await service.send("/api/v1/approvals/nope")).status).toBe(404);
    expect((await service.post(path, { data: 1 })).status).toBe(400);
    const decided = await dataOf(await service.post(path, { approved: false, comment: "no" }));
    expect(decided).toMatchObject({ status: "decided", link: null });
    expect(decided["decision"]).toMatchObject({
      approved: false,
      by: expect.stringMatching(/^owner \(\w+…\)$/),
      via: "api",
    });
    expect((await service.post(path, { approved: true })).status).toBe(409);
    expect(await outputOf(question)).toMatchObject({ approved: false, comment: "no" });
  });
});
