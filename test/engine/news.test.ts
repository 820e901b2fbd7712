import { expect, test } from "vitest";
import { News } from "../../src/engine/news.ts";

const change = (accountId: string, executionId: string) =>
  ({ accountId, executionId, ref: "r", status: "running" }) as const;
const idsOf = (items: readonly { readonly executionId: string }[]) => items.map((item) => item.executionId);

test("a reader gets what comes after it came, of its own account only", () => {
  const news = new News();
  news.publish(change("a", "before"));
  const reader = news.follow("a", null);
  news.publish(change("a", "1"));
  news.publish(change("b", "2"));
  news.publish(change("a", "3"));
  expect(idsOf(reader.read().items)).toEqual(["1", "3"]);
  expect(reader.read().items).toEqual([]);
});

test("a reader that comes back goes on after the last item it names", () => {
  const news = new News();
  const reader = news.follow("a", null);
  for (const id of ["1", "2", "3"]) news.publish(change("a", id));
  const [first] = reader.read().items;
  reader.close();
  reader.close();
  news.publish(change("a", "4"));
  const again = news.follow("a", first?.id ?? "");
  expect(again.read()).toMatchObject({
    missed: false,
    items: [{ executionId: "2" }, { executionId: "3" }, { executionId: "4" }],
  });
});

test.each(["", "nonsense", "AAAAAAAA-1"])(
  "a reader with the unknown id %j is told that it missed something",
  (lastId) => {
    const reader = new News().follow("a", lastId);
    expect(reader.read()).toMatchObject({ missed: true, items: [] });
    expect(reader.read().missed).toBe(false);
  },
);

test("a reader that was away too long is told", () => {
  const news = new News();
  const reader = news.follow("a", null);
  news.publish(change("a", "1"));
  const { last } = reader.read();
  for (let n = 0; n < 10_000; n++) news.publish(change("a", String(n)));
  const { items, missed } = news.follow("a", last).read();
  expect(missed).toBe(true);
  expect(items.length).toBeLessThan(10_000);
});

test("nothing is kept for an account that nobody watches", () => {
  const news = new News();
  expect(news.isIdle).toBe(true);
  news.publish(change("a", "1"));
  expect(news.isIdle).toBe(true);
});
