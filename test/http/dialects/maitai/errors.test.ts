import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CATALOGUE, type ErrorCode, type ErrorRecord, fail, toRecord } from "../../../../runtime/index.ts";
import { toErrorAnswer } from "../../../../src/http/dialects/maitai/errors.ts";
import { type Service, startService } from "../../service.ts";

/** The table of the contract, section 5: code of the catalogue → status, code, type, x-should-retry. */
const TABLE: Readonly<Record<ErrorCode, readonly [number, string, string, string | undefined]>> = {
  INVALID_REQUEST: [400, "invalid_request", "invalid_request_error", undefined],
  VALIDATION_ERROR: [400, "invalid_input", "invalid_request_error", undefined],
  INVALID_WORKFLOW_SCHEMA: [400, "invalid_script", "invalid_request_error", undefined],
  BUNDLE_FAILED: [400, "invalid_script", "invalid_request_error", undefined],
  UNAUTHENTICATED: [401, "invalid_api_key", "invalid_request_error", undefined],
  FORBIDDEN: [403, "permission_denied", "permission_error", undefined],
  WORKFLOW_NOT_FOUND: [404, "workflow_not_found", "invalid_request_error", undefined],
  VERSION_NOT_FOUND: [404, "version_not_found", "invalid_request_error", undefined],
  EXECUTION_NOT_FOUND: [404, "run_not_found", "invalid_request_error", undefined],
  NOT_FOUND: [404, "not_found", "invalid_request_error", undefined],
  CONFLICT: [409, "conflict", "invalid_request_error", "false"],
  PAYLOAD_TOO_LARGE: [413, "payload_too_large", "invalid_request_error", undefined],
  RATE_LIMITED: [429, "rate_limited", "rate_limit_error", "true"],
  BUDGET_EXCEEDED: [429, "budget_exceeded", "rate_limit_error", "false"],
  EXECUTION_FAILED: [500, "workflow_execution_error", "workflow_error", "false"],
  NODE_EXECUTION_FAILED: [500, "workflow_execution_error", "workflow_error", "false"],
  NO_OUTPUT: [500, "workflow_no_output", "workflow_error", "false"],
  OUTPUT_NOT_SERIALIZABLE: [500, "output_not_serializable", "workflow_error", "false"],
  MEMORY_LIMIT_EXCEEDED: [500, "workflow_out_of_memory", "workflow_error", "false"],
  CPU_LIMIT_EXCEEDED: [500, "workflow_cpu_exceeded", "workflow_error", "false"],
  EXECUTION_TIMEOUT: [408, "workflow_timeout", "timeout_error", "false"],
  EXECUTION_CANCELLED: [409, "workflow_cancelled", "workflow_error", "false"],
  INVALID_ARGUMENT: [500, "workflow_execution_error", "workflow_error", "false"],
  LIMIT_EXCEEDED: [500, "workflow_limit_exceeded", "workflow_error", "false"],
  CAPABILITY_DENIED: [500, "workflow_execution_error", "workflow_error", "false"],
  UPSTREAM_FAILED: [500, "workflow_execution_error", "workflow_error", "false"],
  UPSTREAM_TIMEOUT: [500, "workflow_execution_error", "workflow_error", "false"],
  REPLAY_DIVERGED: [500, "workflow_replay_diverged", "workflow_error", "false"],
  SECRETS_LOST: [500, "workflow_secrets_lost", "workflow_error", "false"],
  OVERLOADED: [429, "queue_full", "rate_limit_error", "true"],
  STOPPING: [503, "draining", "server_error", "true"],
  INTERNAL: [500, "internal_error", "server_error", "false"],
};

const codes = Object.keys(CATALOGUE) as readonly ErrorCode[];

test.each(codes)("%s has its row of the table", (code) => {
  const [status, expectedCode, type, retry] = TABLE[code];
  const answer = toErrorAnswer(toRecord(fail(code, { message: "why" })), "req-1");
  expect(answer.status).toBe(status);
  expect(answer.headers["x-should-retry"]).toBe(retry);
  expect(answer.headers["retry-after"] !== undefined).toBe(retry === "true");
  expect(answer.body).toMatchObject({
    error: { code: expectedCode, type, param: code === "BUNDLE_FAILED" ? "script" : null, request_id: "req-1" },
  });
});

test("a server that asks to wait says for how long", () => {
  const answer = toErrorAnswer(toRecord(fail("OVERLOADED", { retry_after: 2.2 })), "r");
  expect(answer.headers["retry-after"]).toBe("3");
});

test("an internal error shows nothing of its cause", () => {
  const record = toRecord(fail("INTERNAL", { path: "/somewhere", message: "secret" }, new Error("secret")));
  expect(JSON.stringify(toErrorAnswer(record, "r"))).not.toMatch(/secret|somewhere/);
});

test.each<[string, ErrorRecord["details"], string]>([
  ["an uncaught chat error", { op: "chat.completions.create", code: "UPSTREAM_FAILED" }, "chat_error"],
  ["an uncaught http error", { op: "http.request", code: "UPSTREAM_FAILED" }, "http_error"],
])("%s is named after the call", (_name, details, code) => {
  const answer = toErrorAnswer({ code: "UPSTREAM_FAILED", message: "m", details }, "r");
  expect(answer.body).toMatchObject({ error: { code, type: "workflow_error" } });
});

describe("over HTTP", () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ WEFT_LIMIT_CPU_MS: "1000", WEFT_LIMIT_TURN_MS: "300" });
  });
  afterAll(() => service.close());

  const failing = async (ref: string, script: string, body: Readonly<Record<string, unknown>> = { input: {} }) => {
    await service.deploy(ref, script);
    const response = await service.invoke(ref, body);
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    return { response, error };
  };

  test("a throw is 500 with the author's place, and is not to be repeated", async () => {
    const { response, error } = await failing(
      "throws",
      `export function execute(ctx) {\n  const value = ctx.input.missing;\n  return value.length;\n}`,
    );
    expect(response.status).toBe(500);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(response.headers.get("x-weft-execution-id")).toMatch(/^exec_[0-9a-f]{32}$/);
    expect(error).toMatchObject({
      type: "workflow_error",
      code: "workflow_execution_error",
      param: null,
      request_id: response.headers.get("x-request-id"),
      details: { file: "throws.ts", line: 3 },
    });
    expect(error["message"]).toContain("length");
    expect(JSON.stringify(error)).not.toMatch(/node_modules|\/runtime\/|\/sandbox\/|weft:/);
  });

  test.each([400, 404, 409, 422, 500])("a script chooses status %d and a code", async (status) => {
    const { response, error } = await failing(
      `chooses-${status}`,
      `import { WorkflowError } from "weft";
       export function execute() { throw new WorkflowError("not now", { status: ${status}, code: "too_early", details: { n: 1 } }); }`,
    );
    expect(response.status).toBe(status);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(error).toMatchObject({ message: "not now", code: "too_early", type: "workflow_error" });
    expect(error["details"]).toMatchObject({ details: { n: 1 } });
  });

  test("over its timeout is 408", async () => {
    const { response, error } = await failing("sleeps", `export const execute = (ctx) => ctx.sleep("1h");`, {
      input: 1,
      timeout_seconds: 0.2,
    });
    expect(response.status).toBe(408);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(error).toMatchObject({ code: "workflow_timeout", type: "timeout_error" });
    expect(error["message"]).toContain("200 ms");
  });

  test("no output and output that is no JSON", async () => {
    expect((await failing("void", `export const execute = () => {};`)).error).toMatchObject({
      code: "workflow_no_output",
    });
    expect((await failing("big", `export const execute = () => 1n;`)).error).toMatchObject({
      code: "output_not_serializable",
    });
  });

  test("a loop is ended and named", async () => {
    const { response, error } = await failing("loops", `export const execute = () => { for (;;); };`);
    expect(response.status).toBe(500);
    expect(error).toMatchObject({ code: "workflow_cpu_exceeded" });
  });

  test("an unreachable service is http_error", async () => {
    const script = `export const execute = (ctx) => ctx.http.get("http://127.0.0.1:1/", { retries: 0 });`;
    expect((await failing("calls", script)).error).toMatchObject({ code: "http_error", type: "workflow_error" });
  });

  test("an input that does not match the schema is 400 before the run", async () => {
    const { response, error } = await failing(
      "checked",
      `export const config = { validate_input: true };
       export const inputSchema = { type: "object", required: ["q"], properties: { q: { type: "string" } } };
       export const execute = (ctx) => ctx.input.q;`,
      { input: { q: 5 } },
    );
    expect(response.status).toBe(400);
    expect(error).toMatchObject({ code: "invalid_input", type: "invalid_request_error" });
    expect(error["message"]).toContain("q");
  });

  test("an unknown workflow is 404 in Maitai's words", async () => {
    const response = await service.invoke("my-workflow");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { message: "Workflow not found: my-workflow", type: "invalid_request_error" },
    });
  });
});
