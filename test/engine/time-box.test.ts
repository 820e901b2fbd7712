import { expect, test } from "vitest";
import { isOverTime, timeBox } from "../../src/engine/time-box.ts";

test("gives what the work gives and throws what it throws", () => {
  expect(timeBox(1_000, () => 7)).toBe(7);
  expect(() =>
    timeBox(1_000, () => {
      throw new TypeError("mine");
    }),
  ).toThrow("mine");
});

test("stops what never ends", () => {
  let thrown: unknown = null;
  try {
    timeBox(50, () => {
      for (;;);
    });
  } catch (error) {
    thrown = error;
  }
  expect(isOverTime(thrown)).toBe(true);
});

test("work that only waited for a processor is begun again", () => {
  // Sleeping stands for a machine that is busy with other things: no time on a processor is used.
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let tries = 0;
  const value = timeBox(100, () => {
    tries++;
    if (tries < 3) for (let i = 0; i < 50; i++) Atomics.wait(cell, 0, 0, 20);
    return tries;
  });
  expect(value).toBe(3);
});
