import { expect, test } from "vitest";
import { hasRun, type IsolateBox } from "../../../runtime/host/isolate.ts";
import { type Seat, Slots } from "../../../runtime/host/slots.ts";
import type { RunningTurn } from "../../../runtime/host/turns.ts";
import { createRandom } from "../../crash/random.ts";

const seed = Number(process.env["WEFT_SLOTS_SEED"] ?? Date.now() % 1_000_000);
const STEPS = 300;
const ACCOUNTS = ["a", "b", "c"];
const VERSIONS = ["1", "2"];
const LEVELS = ["frozen", "context", "isolate"] as const;

/** A prelude that does nothing: who gets which isolate does not depend on what is in it. */
const PRELUDE = "(function(){return function(){return function(){}}})()";

function createSlots(): Slots {
  return new Slots({
    prelude: { name: "prelude", text: PRELUDE },
    manifest: "[]",
    onPost: () => undefined,
    onStuck: () => undefined,
  });
}

interface Sitting {
  readonly run: number;
  readonly owner: string;
  readonly seat: Seat;
}

test("an isolate belongs to one account and version from its first execution to its end, whatever comes and goes", async () => {
  const random = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.between(0, list.length - 1)] as T;
  const slots = createSlots();
  const owners = new Map<IsolateBox, string>();
  const realms = new Map<unknown, string>();
  const fresh = new Set<IsolateBox>();
  let sitting: Sitting[] = [];
  let shared = 0;
  const sit = async (run: number) => {
    const key = `${pick(ACCOUNTS)}:${pick(VERSIONS)}`;
    const isolation = pick(LEVELS);
    const trial = random.chance(0.1);
    const script = { name: `weft:${key}`, text: `(function(){return ${JSON.stringify(key)}})` };
    const request = { run, key, isolation, memoryMb: pick([16, 32]), trial, script, needs: pick([0, 0, 3]) };
    const seat = await slots.seat(request);
    const { box } = seat.slot.lane;
    expect(box.isDisposed(), `seed ${seed}`).toBe(false);
    const owner = `${key} at ${isolation} with ${request.memoryMb} MiB`;
    // Whoever asks for an isolate of its own gets one that nobody was ever in.
    if (trial || isolation === "isolate") expect(owners.has(box), `seed ${seed}`).toBe(false);
    expect([owner, undefined], `seed ${seed}`).toContain(owners.get(box));
    if (owners.has(box)) shared++;
    owners.set(box, owner);
    if (trial || isolation === "isolate") fresh.add(box);
    else expect(fresh.has(box), `seed ${seed}`).toBe(false);
    // A realm is one execution's, but for those that are frozen.
    if (isolation !== "frozen" || trial) expect(realms.has(seat.realm), `seed ${seed}`).toBe(false);
    realms.set(seat.realm, owner);
    sitting.push({ run, owner, seat });
  };
  for (let run = 1; run <= STEPS; run++) {
    const action = random.next();
    if (action < 0.55 || sitting.length === 0) await sit(run);
    else if (action < 0.9) {
      const { seat, run: left } = sitting.splice(random.between(0, sitting.length - 1), 1)[0] as Sitting;
      slots.leave(seat, left, true);
    } else if (action < 0.94) slots.shrink();
    else if (action < 0.97) {
      const { seat } = pick(sitting);
      slots.close(seat.slot);
      sitting = sitting.filter((one) => one.seat.slot !== seat.slot);
    } else {
      const { owner, run: gone } = pick(sitting);
      slots.abandon(owner.split(" at ")[0] ?? "", gone);
      sitting = sitting.filter(({ seat }) => !seat.slot.closed);
    }
    if (random.chance(0.5)) slots.refill();
  }
  for (const { seat, run } of sitting) slots.leave(seat, run, true);
  slots.shrink();
  for (const box of owners.keys()) if (!box.isDisposed()) box.dispose();
  expect(owners.size).toBeGreaterThan(20);
  expect(shared).toBeGreaterThan(10);
});

test("a hundred executions of one version need one frozen isolate, and one isolate each where each is to have its own", async () => {
  const slots = createSlots();
  const made = { frozen: new Set<IsolateBox>(), context: new Set<IsolateBox>(), isolate: new Set<IsolateBox>() };
  for (const isolation of LEVELS) {
    for (let run = 1; run <= 100; run++) {
      const script = { name: "weft:a", text: "(function(){return 1})" };
      const request = { run, key: "a:1", isolation, memoryMb: 16, trial: false, script, needs: 0 };
      const seat = await slots.seat(request);
      made[isolation].add(seat.slot.lane.box);
      slots.leave(seat, run, true);
      slots.refill();
    }
  }
  expect([made.frozen.size, made.context.size, made.isolate.size]).toEqual([1, 1, 100]);
  slots.shrink();
  for (const box of Object.values(made).flatMap((boxes) => [...boxes])) if (!box.isDisposed()) box.dispose();
});

test("a script's code is kept after its first whole run, not after one that was cut short and not while a turn runs", async () => {
  const slots = createSlots();
  for (const isolation of LEVELS) {
    const script = { name: `weft:kept-${isolation}`, text: "(function(){return 1})" };
    const sit = (run: number) =>
      slots.seat({ run, key: `a:${isolation}`, isolation, memoryMb: 16, trial: false, script, needs: 0 });
    slots.leave(await sit(1), 1, false);
    expect(hasRun(script)).toBe(false);
    const seat = await sit(2);
    seat.slot.lane.running = {} as RunningTurn;
    slots.leave(seat, 2, true);
    expect(hasRun(script)).toBe(false);
    seat.slot.lane.running = null;
    slots.leave(await sit(3), 3, true);
    expect(hasRun(script)).toBe(true);
    slots.leave(await sit(4), 4, true);
  }
  slots.shrink();
});
