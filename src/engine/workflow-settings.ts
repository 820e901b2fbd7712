import { randomUUID } from "node:crypto";
import { fail, toWorkflowError } from "../../runtime/index.ts";
import type { Store, Workflow } from "../store/store.ts";
import { createInputCheck } from "./schema.ts";
import type { GivenSchemas, WorkflowSettings } from "./workflows.ts";

type Putting = Parameters<Store["putWorkflow"]>[0];

const MAX_NAME = 200;
const MAX_DESCRIPTION = 10_000;
const MAX_ENV_BYTES = 64 * 1024;
const MAX_SCHEMA_BYTES = 64 * 1024;
const MAX_TTL_MS = 10 * 365 * 24 * 3_600_000;

function refuse(field: string, rule: string, value: unknown): Error {
  return fail("INVALID_REQUEST", { message: `${field}: must be ${rule}, got ${JSON.stringify(value)}`, param: field });
}

function checkLength(field: string, value: string | undefined, max: number): void {
  if (value !== undefined && value.length > max) throw refuse(field, `at most ${max} characters`, value.length);
}

function checkMs(field: string, value: number | null | undefined): void {
  if (value === undefined || value === null) return;
  const isUsable = Number.isFinite(value) && value >= 1 && value <= MAX_TTL_MS;
  if (!isUsable) throw refuse(field, `from 1 to ${MAX_TTL_MS} ms`, value);
}

function checkSchema(field: "inputSchema" | "outputSchema", schema: unknown): void {
  const bytes = schema === undefined ? 0 : Buffer.byteLength(JSON.stringify(schema));
  if (bytes > MAX_SCHEMA_BYTES) throw refuse(field, `at most ${MAX_SCHEMA_BYTES} bytes as JSON`, bytes);
  try {
    createInputCheck(schema, field);
  } catch (cause) {
    const { message } = toWorkflowError(cause);
    throw fail("INVALID_REQUEST", { message, param: field }, cause);
  }
}

/** Checks schemas that do not come from the script; INVALID_REQUEST naming field and rule. */
export function checkSchemas({ inputSchema, outputSchema }: GivenSchemas): void {
  checkSchema("inputSchema", inputSchema);
  checkSchema("outputSchema", outputSchema);
}

/** Checks settings of a workflow; INVALID_REQUEST naming field, rule and value. */
export function checkSettings(settings: WorkflowSettings): void {
  const { name, description, timeoutMs, env, cache, retention, application } = settings;
  checkLength("name", name, MAX_NAME);
  checkLength("description", description, MAX_DESCRIPTION);
  checkLength("application", application, MAX_NAME);
  checkMs("timeout", timeoutMs);
  checkMs("cache.ttl", cache?.ttlMs);
  checkMs("retention.age", retention?.ageMs);
  checkSchemas(settings);
  const envBytes = env === undefined ? 0 : Buffer.byteLength(JSON.stringify(env));
  if (envBytes > MAX_ENV_BYTES) throw refuse("env", `at most ${MAX_ENV_BYTES} bytes as JSON`, envBytes);
}

const fresh = (accountId: string, ref: string, now: number): Putting => ({
  id: randomUUID(),
  accountId,
  ref,
  name: ref,
  description: "",
  executionMode: "sync",
  timeoutMs: null,
  application: null,
  env: {},
  validateInput: false,
  inputSchema: null,
  outputSchema: null,
  cache: null,
  retention: null,
  createdAt: now,
  now,
});

function kept(workflow: Workflow, now: number): Putting {
  const { id, accountId, ref, name, description, executionMode, timeoutMs } = workflow;
  const { application, env, validateInput, inputSchema, outputSchema, cache, retention, createdAt } = workflow;
  const first = { id, accountId, ref, name, description, executionMode, timeoutMs };
  return { ...first, application, env, validateInput, inputSchema, outputSchema, cache, retention, createdAt, now };
}

/** The row of a workflow with new settings: absent ones keep their value, or get the default when there is no workflow yet. */
export function toRow(
  key: { readonly accountId: string; readonly ref: string },
  known: Workflow | null,
  settings: WorkflowSettings,
): Putting {
  const now = Date.now();
  const base = known === null ? fresh(key.accountId, key.ref, now) : kept(known, now);
  return { ...base, ...settings };
}
