import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Verdict } from "../../src/engine/approval-decision.ts";
import type { ShownApproval } from "../../src/engine/waiting.ts";
import { startTestCore, type TestCore } from "../support/core.ts";
import { background, outputOf, scriptOf, untilStatus } from "./waiting.ts";

let core: TestCore;

beforeAll(async () => {
  core = await startTestCore({ WEFT_PUBLIC_URL: "https://weft.example/base/" });
});
afterAll(() => core.close());

const verdict = (more: Partial<Verdict> = {}): Verdict => ({
  approved: true,
  data: null,
  comment: null,
  by: "Ada",
  via: "link",
  address: "127.0.0.1",
  ...more,
});

/** The open question of an execution. */
async function questionOf(executionId: string): Promise<ShownApproval> {
  await untilStatus(core, executionId, "waiting", 1);
  const { items } = await core.waiting.approvals({ accountId: core.accountId, limit: 100, offset: 0 });
  const found = items.find((item) => item.executionId === executionId);
  if (found === undefined) throw new Error("there is no question");
  return found;
}

const tokenOf = ({ link }: ShownApproval): string => link?.split("/approve/")[1] ?? "";

const ASK = `const decision = await ctx.approve({ title: "Refund?", data: { amount: 5 } }); return decision;`;

describe("ctx.approve", () => {
  test("gives the isolate up and resolves to the decision, with who, when and from where", async () => {
    const run = await background(core, "refund", ASK);
    const question = await questionOf(run.executionId);
    expect(core.runtime.stats().running).toBe(0);
    expect(question).toMatchObject({ status: "open", title: "Refund?", ref: "refund" });
    expect(question.link).toMatch(/^https:\/\/weft\.example\/base\/approve\/[0-9a-f]{32}\.[0-9a-z]+\.[\w-]{43}$/);
    const decided = await core.waiting.decide(question, verdict({ comment: "fine", data: { n: 1 } }));
    expect(decided).toMatchObject({ status: "decided", link: null });
    expect(await outputOf(run)).toEqual({
      approved: true,
      data: { n: 1 },
      by: "Ada",
      at: expect.any(Number),
      comment: "fine",
      timed_out: false,
      via: "link",
      address: "127.0.0.1",
    });
    await expect(core.waiting.decide(question, verdict())).rejects.toMatchObject({
      code: "CONFLICT",
      message: "It was approved by Ada already.",
    });
    expect(core.reported).toEqual([]);
  });

  test("tells streams of the link once, and the journal of request and decision", async () => {
    await core.deploy("stream", scriptOf(ASK));
    const run = await core.invoke("stream", { mode: "stream" });
    const chunks: string[] = [];
    run.subscribe((added) => chunks.push(...added.map(({ type, content }) => `${type} ${content}`)));
    const question = await questionOf(run.executionId);
    await core.waiting.decide(question, verdict({ approved: false }));
    expect(await outputOf(run)).toMatchObject({ approved: false, data: null });
    expect(chunks).toHaveLength(1);
    expect(chunks[0]).toContain(`"approval" {"id":"${question.id}","link":"${question.link}"`);
    const records = await core.store.readJournal({ executionId: run.executionId });
    expect(records.map(({ op }) => op)).toEqual(["approve.request", "approve"]);
  });

  test("is refused once its time has passed, saying so", async () => {
    await core.deploy("brief", scriptOf(`return ctx.approve({ title: "Quick", timeout: 20 });`));
    const decision = await outputOf(await core.invoke("brief"));
    expect(decision).toMatchObject({ approved: false, by: null, timed_out: true, at: expect.any(Number) });
  });

  test("checks what is sent along with an approval, not with a refusal", async () => {
    const schema = `{ type: "object", required: ["amount"], properties: { amount: { type: "number", maximum: 9 } } }`;
    const run = await background(
      core,
      "schema",
      `return (await ctx.approve({ title: "How much?", schema: ${schema} })).data;`,
    );
    const question = await questionOf(run.executionId);
    const decide = (data: unknown) => core.waiting.decide(question, verdict({ data }));
    await expect(decide({ amount: 10 })).rejects.toMatchObject({
      code: "VALIDATION_ERROR",
      message: "data/amount: must be <= 9",
    });
    await expect(decide(null)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    await expect(decide({ amount: 1, note: "x".repeat(300_000) })).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      details: { limit: "maxEventBytes" },
    });
    await decide({ amount: 9 });
    expect(await outputOf(run)).toEqual({ amount: 9 });
  });

  test("lets only those decide by the link whom it names", async () => {
    const run = await background(
      core,
      "named",
      `return (await ctx.approve({ title: "Who?", approvers: ["Ada"] })).by;`,
    );
    const question = await questionOf(run.executionId);
    await expect(core.waiting.decide(question, verdict({ by: "Eve" }))).rejects.toMatchObject({
      code: "INVALID_REQUEST",
      details: { param: "name" },
    });
    await core.waiting.decide(question, verdict({ by: "owner (weft_)", via: "api" }));
    expect(await outputOf(run)).toBe("owner (weft_)");
  });

  test("names the field of a bad argument", async () => {
    const cases = [
      [`7`, "must be an object"],
      [`{}`, "approve: title"],
      [`{ title: " " }`, "approve: title"],
      [`{ title: "x".repeat(201) }`, "201 characters, over 200"],
      [`{ title: "x", schema: { type: "nonsense" } }`, "approve: schema"],
      [`{ title: "x", approvers: "Ada" }`, "approve: approvers"],
      [`{ title: "x", timeout: "soon" }`, "approve: timeout"],
      [`{ title: "x", who: "Ada" }`, "approve: who"],
    ] as const;
    for (const [argument, why] of cases) {
      await core.deploy("bad", scriptOf(`await ctx.approve(${argument}); return 1;`));
      expect(await outputOf(await core.invoke("bad"))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(why),
      });
    }
  });

  test("shows no secret", async () => {
    await core.deploy("hush", scriptOf(`return (await ctx.approve({ title: "t " + ctx.secrets.key })).approved;`));
    const run = await core.invoke("hush", { secrets: { key: "very-secret-value" } });
    const question = await questionOf(run.executionId);
    expect(JSON.stringify(question)).not.toContain("very-secret-value");
    await core.waiting.decide(question, verdict());
    expect(await outputOf(run)).toBe(true);
  });
});

describe("a link", () => {
  test("leads to its question, and no other text does", async () => {
    const run = await background(core, "linked", ASK);
    const question = await questionOf(run.executionId);
    const token = tokenOf(question);
    expect(await core.waiting.approvalOfLink(token)).toMatchObject({ id: question.id });
    const [id = "", expires = "", mac = ""] = token.split(".");
    const later = (Number.parseInt(expires, 36) + 1).toString(36);
    const flipped = `${mac[0] === "A" ? "B" : "A"}${mac.slice(1)}`;
    const wrong = [`${id}.${later}.${mac}`, `${id}.${expires}.${flipped}`, `${id}.${expires}.`, "", "x", `${token}x`];
    for (const text of wrong) expect(await core.waiting.approvalOfLink(text)).toBe("unknown");
    await core.engine.cancel({ accountId: core.accountId, executionId: run.executionId });
    const target = await core.waiting.approvalOfLink(token);
    expect(target).toMatchObject({ status: "over", link: null });
    await expect(core.waiting.decide(target as ShownApproval, verdict())).rejects.toMatchObject({ code: "CONFLICT" });
  });
});

test("a question of one account is not found by another", async () => {
  const run = await background(core, "private", ASK);
  const { id: approvalId } = await questionOf(run.executionId);
  await expect(core.waiting.approval({ accountId: "other", approvalId })).rejects.toMatchObject({ code: "NOT_FOUND" });
  const list = await core.waiting.approvals({ accountId: "other", limit: 9, offset: 0 });
  expect(list).toEqual({ items: [], total: 0 });
  const { executionId } = run;
  expect(await core.waiting.waitsOf({ accountId: "other", executionId })).toEqual([]);
});
