import { describe, expect, test } from "vitest";
import { startDeadline } from "../../runtime/egress/deadline.ts";
import { isPassing } from "../../runtime/egress/network-error.ts";
import { backoffMs, retryAfterMs } from "../../runtime/egress/retry.ts";
import { fail } from "../../runtime/errors.ts";

describe("waiting times", () => {
  test("Retry-After is read as milliseconds, seconds or a date", () => {
    expect(retryAfterMs({ "retry-after-ms": "20", "retry-after": "5" })).toBe(20);
    expect(retryAfterMs({ "retry-after": "1.5" })).toBe(1_500);
    expect(retryAfterMs({ "retry-after": new Date(0).toUTCString() })).toBe(0);
    const inAnHour = retryAfterMs({ "retry-after": new Date(Date.now() + 3_600_000).toUTCString() });
    expect(inAnHour).toBeGreaterThan(3_590_000);
    expect(retryAfterMs({ "retry-after": "soon" })).toBeNull();
    expect(retryAfterMs({})).toBeNull();
  });

  test("backoff doubles, jitters by half and ends at 8 seconds", () => {
    for (const [attempt, full] of [
      [1, 250],
      [2, 500],
      [4, 2_000],
      [20, 8_000],
    ] as const) {
      for (let index = 0; index < 50; index++) {
        expect(backoffMs(attempt)).toBeGreaterThanOrEqual(full / 2);
        expect(backoffMs(attempt)).toBeLessThanOrEqual(full);
      }
    }
  });

  test("closed connections pass, missing hosts and bad certificates do not", () => {
    expect(["ECONNRESET", "ECONNREFUSED", "UND_ERR_SOCKET", "EAI_AGAIN"].every(isPassing)).toBe(true);
    expect(["ENOTFOUND", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID"].some(isPassing)).toBe(false);
  });
});

describe("deadlines", () => {
  const timeout = () => fail("UPSTREAM_TIMEOUT");

  test("a sleep ends with the time limit or with the outer signal", async () => {
    const short = startDeadline(new AbortController().signal, 10, timeout);
    await expect(short.sleep(5_000)).rejects.toMatchObject({ code: "UPSTREAM_TIMEOUT" });
    const controller = new AbortController();
    const outer = startDeadline(controller.signal, 60_000, timeout);
    setTimeout(() => controller.abort(), 5);
    await expect(outer.sleep(5_000)).rejects.toMatchObject({ code: "EXECUTION_CANCELLED" });
    await expect(outer.sleep(1)).rejects.toMatchObject({ code: "EXECUTION_CANCELLED" });
    outer.clear();
    short.clear();
  });

  test("one that was cleared never fires", async () => {
    const controller = new AbortController();
    const deadline = startDeadline(controller.signal, 60_000, timeout);
    await deadline.sleep(1);
    expect(deadline.remainingMs()).toBeGreaterThan(0);
    deadline.clear();
    controller.abort();
    expect(deadline.signal.aborted).toBe(false);
  });
});
