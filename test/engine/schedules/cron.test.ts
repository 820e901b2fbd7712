import { describe, expect, test } from "vitest";
import { cronProblem, nextSlots, slotsBefore, timezoneProblem } from "../../../src/engine/schedules/cron.ts";

const at = (text: string) => Date.parse(text);
const iso = (slots: readonly number[]) => slots.map((slot) => new Date(slot).toISOString().slice(0, 16));
const berlin = (cron: string, endAt: number | null = null) => ({ cron, timezone: "Europe/Berlin", endAt });

describe("slots", () => {
  test("follow the clocks of the zone over both changes of a year", () => {
    const weekdays = berlin("0 7 * * 1-5");
    expect(iso(nextSlots(weekdays, at("2026-03-26T12:00Z"), 2))).toEqual(["2026-03-27T06:00", "2026-03-30T05:00"]);
    expect(iso(nextSlots(weekdays, at("2026-10-23T12:00Z"), 1))).toEqual(["2026-10-26T06:00"]);
  });

  test("a time that the clocks leave out is due right after the gap, one that comes twice is due once", () => {
    const daily = berlin("30 2 * * *");
    expect(iso(nextSlots(daily, at("2026-03-28T12:00Z"), 2))).toEqual(["2026-03-29T01:00", "2026-03-30T00:30"]);
    expect(iso(nextSlots(daily, at("2026-10-24T12:00Z"), 2))).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  });

  test("intervals go on through the hour that comes twice", () => {
    const half = nextSlots(berlin("*/30 * * * *"), at("2026-10-24T23:59Z"), 6);
    expect(half.slice(1).map((slot, i) => slot - (half[i] ?? 0))).toEqual(new Array(5).fill(1_800_000));
  });

  test("backwards are the same as forwards, in every month and over both changes", () => {
    for (const cron of ["*/30 * * * *", "30 2 * * *", "0 7 * * 1-5", "15 1,2,3 * * *"]) {
      for (const start of ["2026-03-28T00:00Z", "2026-10-24T00:00Z"]) {
        const forward = nextSlots(berlin(cron), at(start), 100);
        const end = (forward.at(-1) ?? 0) + 1;
        expect(slotsBefore(berlin(cron), end, 100).toReversed(), `${cron} from ${start}`).toEqual(forward);
      }
    }
  });

  test("seconds, nicknames, the last day of a month and an end", () => {
    expect(iso(nextSlots(berlin("@daily"), at("2026-01-01T00:00Z"), 1))).toEqual(["2026-01-01T23:00"]);
    expect(nextSlots(berlin("*/10 * * * * *"), at("2026-01-01T00:00Z"), 2)).toEqual([
      at("2026-01-01T00:00:10Z"),
      at("2026-01-01T00:00:20Z"),
    ]);
    expect(iso(nextSlots(berlin("0 0 L * *"), at("2026-02-01T00:00Z"), 1))).toEqual(["2026-02-27T23:00"]);
    const ending = berlin("0 * * * *", at("2026-01-01T02:00Z"));
    expect(iso(nextSlots(ending, at("2026-01-01T00:30Z"), 5))).toEqual(["2026-01-01T01:00"]);
    expect(iso(slotsBefore(ending, at("2026-02-01T00:00Z"), 1))).toEqual(["2026-01-01T01:00"]);
  });
});

describe("what cannot be used is named", () => {
  test.each([
    "",
    "* * *",
    "61 * * * *",
    "@reboot",
    "a b c d e",
    "* * * * * * * *",
    "2026-12-01T00:00:00",
    "x".repeat(300),
  ])("cron %j", (cron) => {
    expect(cronProblem(cron, "UTC")).toContain("cron text");
  });
  test.each(["", "Mars/Base", "+02:00", "-05"])("time zone %j", (zone) => {
    expect(timezoneProblem(zone)).toContain("IANA");
  });
  test.each(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])("%s is fine", (zone) => {
    expect(timezoneProblem(zone)).toBeNull();
    expect(cronProblem("0 7 * * 1-5", zone)).toBeNull();
  });
});
