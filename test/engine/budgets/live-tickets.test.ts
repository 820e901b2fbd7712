import { expect, test } from "vitest";
import { LiveTickets } from "../../../src/engine/budgets/live-tickets.ts";

const PURSE = 7;
const opened = (call: string, executionId = "one") => ({ executionId, call, purses: [PURSE] });

test("a limit is open while some call may release something of it", () => {
  const tickets = new LiveTickets();
  tickets.add(1, opened("0.0"));
  tickets.add(2, opened("0.0", "another"));
  expect(tickets.take(1)).toEqual([PURSE]);
  expect(tickets.take(1)).toEqual([]);
  expect(tickets.isOpen(PURSE)).toBe(true);
  expect([...tickets.takeAll("another")]).toEqual([PURSE]);
  expect(tickets.isOpen(PURSE)).toBe(false);
});

test("a call that is repeated leaves nothing of the attempt whose end nobody will tell", () => {
  const tickets = new LiveTickets();
  tickets.add(1, opened("3.0"));
  tickets.add(2, opened("3.0"));
  tickets.take(2);
  expect(tickets.isOpen(PURSE)).toBe(false);
  expect(tickets.take(1)).toEqual([]);
});
