import type { MeterPatch, OpCall, Scope } from "../../runtime/capabilities/capability.ts";
import { createDatastoreAccess } from "../../runtime/datastores/access.ts";
import type { ExecutionJob } from "../../runtime/execution.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import type { Services } from "../../runtime/services.ts";

/** An op call as a worker makes it, with what it reported. */
export interface TestCall extends OpCall {
  readonly parts: string[];
  readonly metered: MeterPatch[];
}

/** What a test may choose about the call. */
export type OutsideServices = Omit<Services, "datastores">;

export interface TestCallOptions {
  /** Without datastores: there are none. */
  readonly services: OutsideServices;
  readonly job?: Partial<ExecutionJob>;
  readonly messages?: readonly unknown[];
  readonly signal?: AbortSignal;
  readonly delivered?: readonly string[];
}

const JOB: ExecutionJob = {
  executionId: "exec-1",
  accountId: "account",
  versionId: "version",
  bundleHash: "hash",
  profile: "fast",
  isolation: "frozen",
  alone: false,
  limits: DEFAULT_LIMITS,
  seed: "00",
  startedAt: 0,
  deadlineAt: null,
  timeoutMs: null,
  data: "{}",
  secrets: {},
  httpAllow: null,
  replay: [],
  tellsImpure: false,
  depth: 0,
  application: null,
};

/** A scope of an execution that nothing else runs in. */
export function testScope(job: Partial<ExecutionJob> = {}, messages: readonly unknown[] = []): Scope {
  const none = () => Promise.reject(new Error("not in this test"));
  return {
    job: { ...JOB, ...job },
    messages,
    sessionId: "session-1",
    env: {},
    datastores: {},
    invoke: none,
    accessory: none,
    files: none,
    agent: none,
    wait: none,
    waited: none,
    reserve: none,
    settle: () => undefined,
    funded: none,
  };
}

/** A call of an op at position 7. */
export function testCall(options: TestCallOptions): TestCall {
  const parts: string[] = [];
  const metered: MeterPatch[] = [];
  return {
    scope: testScope(options.job, options.messages),
    services: { datastores: createDatastoreAccess({ root: null, limits: DEFAULT_LIMITS }), ...options.services },
    pos: 7,
    now: 0,
    idempotencyKey: "exec-1:7",
    signal: options.signal ?? new AbortController().signal,
    hold: () => undefined,
    park: () => undefined,
    spending: null,
    part: (json) => void parts.push(json),
    meter: (patch) => void metered.push(patch),
    delivered: options.delivered ?? [],
    parts,
    metered,
  };
}
