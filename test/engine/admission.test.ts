import { expect, test } from "vitest";
import { createAdmission, type Ticket } from "../../src/engine/admission.ts";

function setUp(maxConcurrent: number, maxQueued: number) {
  const went: string[] = [];
  let freed = 0;
  const admission = createAdmission({ maxConcurrent, maxQueued }, () => freed++);
  const ticket = (name: string, accountId = "one"): Ticket => ({ accountId, go: () => went.push(name) });
  return { admission, ticket, went, freed: () => freed };
}

test("calls go at once while there are places, then in order of asking", () => {
  const { admission, ticket, went } = setUp(2, 10);
  for (const name of ["a", "b", "c", "d"]) admission.enter(ticket(name));
  expect(went).toEqual(["a", "b"]);
  admission.release("one");
  admission.release("one");
  expect(went).toEqual(["a", "b", "c", "d"]);
});

test("too many waiting calls are refused with both limits and a time to come back", () => {
  const { admission, ticket } = setUp(1, 1);
  admission.enter(ticket("a"));
  admission.enter(ticket("b"));
  expect(() => admission.enter(ticket("c"))).toThrow("runs 1 executions (WEFT_MAX_CONCURRENT) and 1 wait");
});

test("calls that wait for an identical run count as waiting, and keep their right to a place", () => {
  const { admission, ticket } = setUp(1, 2);
  admission.enter(ticket("a"));
  expect(admission.follow()).toBe(true);
  admission.enter(ticket("b"));
  expect(admission.follow()).toBe(false);
  expect(() => admission.enter(ticket("c"))).toThrow("2 wait");
  admission.unfollow();
  admission.enter(ticket("d"));
});

test("whoever leaves is passed over", () => {
  const { admission, ticket, went } = setUp(1, 5);
  const b = ticket("b");
  admission.enter(ticket("a"));
  admission.enter(b);
  admission.enter(ticket("c"));
  expect(admission.leave(b)).toBe(true);
  expect(admission.leave(b)).toBe(false);
  admission.release("one");
  expect(went).toEqual(["a", "c"]);
});

test("places taken beyond the limit are given back before anyone else goes", () => {
  const { admission, ticket, went, freed } = setUp(1, 5);
  admission.enter(ticket("a"));
  admission.take("one");
  admission.take("one");
  admission.enter(ticket("b"));
  expect(admission.free()).toBe(0);
  admission.release("one");
  admission.release("one");
  expect(went).toEqual(["a"]);
  expect(freed()).toBe(2);
  admission.release("one");
  expect(went).toEqual(["a", "b"]);
  admission.release("one");
  expect(admission.free()).toBe(1);
});

test("while others wait in memory, now and then one from the store gets in", () => {
  let freed = 0;
  const admission = createAdmission({ maxConcurrent: 1, maxQueued: 100 }, () => freed++);
  for (let i = 0; i < 20; i++) admission.enter({ accountId: "one", go: () => undefined });
  for (let i = 0; i < 7; i++) admission.release("one");
  expect([admission.free(), freed]).toEqual([0, 0]);
  admission.release("one");
  expect([admission.free(), freed]).toEqual([1, 1]);
  admission.take("one");
  expect(admission.free()).toBe(0);
});

test("the account with the fewest running goes first, accounts with as many in turn", () => {
  const { admission, ticket, went } = setUp(2, 100);
  for (let i = 0; i < 6; i++) admission.enter(ticket(`hog ${i}`, "hog"));
  for (const name of ["a", "b"]) for (let i = 0; i < 2; i++) admission.enter(ticket(`${name} ${i}`, name));
  expect(went).toEqual(["hog 0", "hog 1"]);
  for (let i = 0; i < 2; i++) admission.release("hog");
  // The hog was the first in the line of accounts, and then has none that runs.
  expect(went.slice(2)).toEqual(["a 0", "hog 2"]);
  for (const name of ["a", "hog"]) admission.release(name);
  expect(went.slice(4)).toEqual(["b 0", "a 1"]);
});

test("one account fills only part of the queue while others are there, and all of it when it is alone", () => {
  const { admission, ticket } = setUp(1, 4);
  for (let i = 0; i < 5; i++) admission.enter(ticket(`alone ${i}`, "hog"));
  expect(() => admission.enter(ticket("too many", "hog"))).toThrow("4 wait");
  const shared = setUp(1, 4);
  shared.admission.enter(shared.ticket("other", "other"));
  for (let i = 0; i < 3; i++) shared.admission.enter(shared.ticket(`hog ${i}`, "hog"));
  expect(() => shared.admission.enter(shared.ticket("too many", "hog"))).toThrow("WEFT_MAX_QUEUED");
  shared.admission.enter(shared.ticket("still room", "other"));
});
