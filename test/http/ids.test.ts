import { expect, test } from "vitest";
import { parseExecutionId, requestIdOf, toExecId } from "../../src/http/ids.ts";

const UUID = "0190b6c2-7a11-7cc3-98c4-dc0c0c07398f";

test("an execution id is the same as a UUID and as exec_ with 32 digits", () => {
  expect(toExecId(UUID)).toBe("exec_0190b6c27a117cc398c4dc0c0c07398f");
  expect(parseExecutionId(toExecId(UUID))).toBe(UUID);
  expect(parseExecutionId(UUID)).toBe(UUID);
  expect(parseExecutionId(UUID.toUpperCase())).toBe(UUID);
});

test.each(["", "exec_", `exec_${UUID}`, UUID.slice(1), `${UUID} `, "exec_0190b6c27a117cc398c4dc0c0c07398g"])(
  "%j is none",
  (text) => {
    expect(parseExecutionId(text)).toBeNull();
  },
);

test("a request id is kept when it is one harmless token", () => {
  expect(requestIdOf("req-1/a+b=")).toBe("req-1/a+b=");
  for (const header of [undefined, "", "a b", "a\n", "é", ["a", "b"], "x".repeat(129)]) {
    expect(requestIdOf(header)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  }
});
