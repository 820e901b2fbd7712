import { describe, expect, test } from "vitest";
import { median, medianRatio, medianRound, quantile } from "../../bench/statistics.ts";

const round = (perSecond: number) => ({
  p50Ms: 1 / perSecond,
  p99Ms: 2 / perSecond,
  perSecond,
  cpuMicros: perSecond * 3,
});

describe("median", () => {
  test("of an odd number of values is the middle one, sorted as numbers", () => {
    expect(median([100, 9, 20])).toBe(20);
  });

  test("of an even number of values is the mean of the two in the middle", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test("of nothing is not a number", () => {
    expect(median([])).toBeNaN();
  });

  test("leaves the given values as they are", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe("quantile", () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1);

  test("99 of 100 values lie below the one at 0.99", () => {
    expect(quantile(values, 0.99)).toBe(100);
  });

  test("the last value is the one at 1", () => {
    expect(quantile(values, 1)).toBe(100);
  });
});

describe("rounds", () => {
  test("each figure is the median of its own", () => {
    expect(medianRound([round(10), round(1), round(5)])).toEqual(round(5));
  });

  test("a ratio is taken round by round, so that a slow moment of the machine cancels out", () => {
    expect(medianRatio([round(50), round(5), round(40)], [round(100), round(10), round(100)])).toBe(0.5);
  });
});
