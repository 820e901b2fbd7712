import { expect, test } from "vitest";
import { Bells } from "../../src/engine/bells.ts";

test("a bell that rang while nobody listened is heard at once, and once", async () => {
  const bells = new Bells();
  const bell = bells.open("a");
  bells.ring("a");
  bells.ring("b");
  await bell.rung(60_000);
  const heard: string[] = [];
  const waiting = bell.rung(60_000).then(() => heard.push("again"));
  await Promise.resolve();
  expect(heard).toEqual([]);
  bells.ring("a");
  await waiting;
  expect(heard).toEqual(["again"]);
});

test("every listener hears it; closing ends the wait and leaves nothing behind", async () => {
  const bells = new Bells();
  const [one, two] = [bells.open("a"), bells.open("a")];
  const both = Promise.all([one.rung(60_000), two.rung(60_000)]);
  bells.ring("a");
  await both;
  const ended = one.rung(60_000);
  one.close();
  await ended;
  await one.rung(60_000);
  expect(bells.isIdle).toBe(false);
  two.close();
  expect(bells.isIdle).toBe(true);
});

test("a wait has an end", async () => {
  await new Bells().open("a").rung(1);
});
