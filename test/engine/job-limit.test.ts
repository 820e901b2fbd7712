import { expect, test } from "vitest";
import { createJobLimit } from "../../src/engine/job-limit.ts";

function setUp(maxJobs: number) {
  const counted: string[] = [];
  const waiting = new Map<string, number>();
  const store = {
    async countExecutions({ accountId }: { readonly accountId: string }) {
      counted.push(accountId);
      return waiting.get(accountId) ?? 0;
    },
  };
  return { limit: createJobLimit(store, maxJobs), waiting, counted };
}

test("the store is asked once, until there could be too many", async () => {
  const { limit, waiting, counted } = setUp(10);
  for (let n = 0; n < 10; n++) await limit.add("a");
  expect(counted).toHaveLength(1);
  waiting.set("a", 4);
  for (let n = 0; n < 6; n++) await limit.add("a");
  expect(counted).toHaveLength(2);
});

test("one too many is refused, naming limit and value, also among calls of one moment", async () => {
  const { limit, waiting } = setUp(3);
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map(() => limit.add("a")));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected", "rejected"]);
  waiting.set("a", 3);
  await expect(limit.add("a")).rejects.toMatchObject({
    code: "RATE_LIMITED",
    message: expect.stringContaining("WEFT_MAX_JOBS 3"),
    details: { limit: "maxJobs", value: 3, retry_after: 10 },
  });
});

test("accounts are apart", async () => {
  const { limit, waiting } = setUp(1);
  waiting.set("a", 1);
  await expect(limit.add("a")).rejects.toMatchObject({ code: "RATE_LIMITED" });
  await limit.add("b");
});
