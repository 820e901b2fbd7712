import { describe, expect, it } from "vitest";
import type { Scope } from "../../runtime/capabilities/capability.ts";
import type { Handler, OpRequest } from "../../runtime/interceptors/interceptor.ts";
import { limitsInterceptor } from "../../runtime/interceptors/limits.ts";
import { meterInterceptor } from "../../runtime/interceptors/meter.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { INTERCEPTORS } from "../../runtime/worker/dispatch.ts";

function request(over: Partial<OpRequest> = {}, limits = DEFAULT_LIMITS): OpRequest {
  return {
    pos: 0,
    name: "http.request",
    args: "{}",
    now: 0,
    scope: { job: { limits } } as Scope,
    signal: new AbortController().signal,
    delivered: [],
    part: () => undefined,
    meter: () => undefined,
    hold: () => undefined,
    park: () => undefined,
    ...over,
  };
}

const answers =
  (payload: string): Handler =>
  async ({ meter }) => {
    meter({ promptTokens: 3, costUsd: 0.5, attempts: 2 });
    return { kind: "result", payload, meter: null };
  };

describe("interceptors", () => {
  it("are ordered: everything is metered, also what a limit refuses", () => {
    expect(INTERCEPTORS).toEqual([meterInterceptor, limitsInterceptor]);
  });

  it("refuse arguments over maxArgBytes before the handler sees them", async () => {
    let called = false;
    const chain = limitsInterceptor(async () => {
      called = true;
      return { kind: "result", payload: "null", meter: null };
    });
    const completion = await chain(
      request({ args: JSON.stringify("é".repeat(30)) }, { ...DEFAULT_LIMITS, maxArgBytes: 50 }),
    );
    expect(called).toBe(false);
    expect(JSON.parse(completion.payload)).toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: "http.request: arguments of 62 bytes, over 50 (maxArgBytes)",
    });
  });

  it("turn results over maxResultBytes into an error", async () => {
    const chain = limitsInterceptor(answers(JSON.stringify("x".repeat(100))));
    const completion = await chain(request({}, { ...DEFAULT_LIMITS, maxResultBytes: 90 }));
    expect(completion.kind).toBe("error");
    expect(JSON.parse(completion.payload)).toMatchObject({ code: "LIMIT_EXCEEDED", details: { value: 102 } });
  });

  it("measure every op and keep what its handler reports", async () => {
    const completion = await meterInterceptor(answers("1"))(request());
    expect(completion.meter).toMatchObject({
      promptTokens: 3,
      completionTokens: 0,
      costUsd: 0.5,
      attempts: 2,
      model: null,
    });
    expect(completion.meter?.durationMs).toBeGreaterThanOrEqual(0);
  });
});
