import { expect, test } from "vitest";
import { fail } from "../../runtime/errors.ts";
import { NO_COST, type Reservation } from "../../runtime/spending.ts";
import { spendingOf } from "../../runtime/worker/spending.ts";
import { testScope } from "../capabilities/op-call.ts";
import { rejectionOf } from "../support/thrown.ts";

type Answer = Reservation | Error;

/** A call whose questions are answered in turn. */
function asking({
  reserve,
  funded = [],
}: {
  readonly reserve: readonly Answer[];
  readonly funded?: readonly (Error | null)[];
}) {
  const [reservations, fundings] = [[...reserve], [...funded]];
  const parked: unknown[] = [];
  const stop = new AbortController();
  const settled: number[] = [];
  const scope = testScope();
  const spending = spendingOf({
    pos: 3,
    signal: stop.signal,
    park: (until) => void parked.push(until),
    scope: {
      ...scope,
      job: { ...scope.job, budget: { usd: false } },
      settle: (ticket) => void settled.push(ticket),
      async reserve() {
        const answer = reservations.shift() ?? fail("INTERNAL");
        if (answer instanceof Error) throw answer;
        return answer;
      },
      async funded() {
        const answer = fundings.shift() ?? null;
        if (answer !== null) throw answer;
      },
    },
  });
  return { ask: () => spending?.reserve(NO_COST), parked, stop, settled, reservations };
}

const over = fail("CONFLICT", { message: "This attempt is over." });
const short: Reservation = { ticket: null, since: 1, until: null };

test("a call that asked for an attempt which ended asks once more, for the one that has it now", async () => {
  const { ask, settled } = asking({ reserve: [over, { ticket: 7 }] });
  (await ask())?.settle(NO_COST);
  expect(settled).toEqual([7]);
});

test("so does one that waits for money, and it is parked no longer than it waits", async () => {
  const { ask, parked } = asking({ reserve: [short, short, { ticket: 8 }], funded: [over, null] });
  await ask();
  expect(parked).toEqual([
    Number.POSITIVE_INFINITY,
    null,
    Number.POSITIVE_INFINITY,
    null,
    Number.POSITIVE_INFINITY,
    null,
  ]);
});

test("where there is no other attempt, or the call was given up, the refusal is its end", async () => {
  const { ask } = asking({ reserve: [over, fail("EXECUTION_NOT_FOUND")] });
  expect(await rejectionOf(ask() ?? Promise.resolve())).toMatchObject({ code: "EXECUTION_NOT_FOUND" });
  const given = asking({ reserve: [over, { ticket: 9 }] });
  given.stop.abort();
  expect(await rejectionOf(given.ask() ?? Promise.resolve())).toMatchObject({ code: "CONFLICT" });
  expect(given.reservations).toHaveLength(1);
});
