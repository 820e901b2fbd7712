import { createRuntime } from "../../runtime/create-runtime.ts";
import type { ExecutionJob, ExecutionOutcome, JournalRecord } from "../../runtime/execution.ts";
import { DEFAULT_LIMITS, type Limits } from "../../runtime/limits.ts";
import { parseModels } from "../../runtime/models/config.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { type ModelStub, startModelStub } from "../support/model-stub.ts";
import { createJournalHost, type JournalHost, type JournalHostOptions } from "./journal-host.ts";

/** What a test may choose about a job. */
export interface JobOptions extends Partial<Omit<ExecutionJob, "limits" | "data">> {
  readonly limits?: Partial<Limits>;
  readonly input?: unknown;
}

/** One attempt at a job, under way. */
export interface Attempt {
  readonly job: ExecutionJob;
  readonly host: JournalHost;
  readonly outcome: Promise<ExecutionOutcome>;
}

/** The real runtime with a counting model, and nothing else around it. */
export interface BareRuntime extends Runtime {
  readonly stub: ModelStub;
  /** Bundles a script and makes a job for it. */
  job(script: string, options?: JobOptions): Promise<ExecutionJob>;
  /** Begins a job. */
  start(job: ExecutionJob, options?: JournalHostOptions): Attempt;
  /** Runs a job to its outcome. */
  finish(job: ExecutionJob, options?: JournalHostOptions): Promise<ExecutionOutcome & { readonly host: JournalHost }>;
  /** What the engine does with an attempt: one that is lost begins again, a suspect alone and only once. */
  goOn(attempt: Attempt): Promise<ExecutionOutcome & { readonly host: JournalHost }>;
  /** The next bundle that a host asks for cannot be read, as when the disk fails. */
  failNextLoad(): void;
  /** The same job as it is resumed from `records`. */
  resume(job: ExecutionJob, records: readonly JournalRecord[]): ExecutionJob;
}

const DATA = {
  messages: [],
  params: {},
  env: {},
  metadata: {},
  session_id: "session",
  request_id: "request",
  workflow_info: { ref_name: "test", version: "1.0.0", depth: 0 },
  accessories: [],
};

/** Wraps the body of `execute(ctx)` into a script. */
export const scriptOf = (body: string): string => `export async function execute(ctx) {\n${body}\n}`;

/** Starts runtime and stub; `close` ends both. */
export async function startBareRuntime(workers = 1): Promise<BareRuntime> {
  const stub = await startModelStub();
  const bundles = new Map<string, string>();
  let count = 0;
  let fails = false;
  const load = async (hash: string) => {
    if (!fails) return bundles.get(hash) ?? null;
    fails = false;
    throw new Error("disk I/O error");
  };
  const runtime = await createRuntime({
    limits: DEFAULT_LIMITS,
    workers,
    models: parseModels({ file: null, env: { OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "sk-stub" } }),
    allowPrivate: ["127.0.0.0/8"],
    datastores: null,
    hostWall: "none",
    warm: ["fast"],
    settle: () => undefined,
    loadBundle: load,
  });
  await runtime.ready();
  const start = (job: ExecutionJob, options: JournalHostOptions = {}): Attempt => {
    // Tests replay whole records.
    const host = createJournalHost({ replay: job.replay as readonly JournalRecord[], ...options });
    return { job, host, outcome: runtime.run(job, host) };
  };
  const goOn: BareRuntime["goOn"] = async ({ job, host, outcome }) => {
    const end = await outcome;
    if (end.status !== "lost" || (job.alone && end.suspect)) return { ...end, host };
    return goOn(start({ ...job, replay: host.records, alone: job.alone || end.suspect, isCalm: false }));
  };
  return {
    ...runtime,
    stub,
    start,
    goOn,
    async job(script, { limits, input = null, ...more } = {}) {
      const bundle = await runtime.bundle({ files: [{ path: "test.ts", text: script }] });
      bundles.set(bundle.hash, bundle.code);
      count += 1;
      return {
        executionId: `00000000-0000-4000-8000-${String(count).padStart(12, "0")}`,
        accountId: "account",
        versionId: bundle.hash,
        bundleHash: bundle.hash,
        profile: "fast",
        isolation: "frozen",
        alone: false,
        limits: { ...DEFAULT_LIMITS, ...limits },
        seed: "5eed".repeat(16),
        startedAt: Date.now(),
        deadlineAt: null,
        timeoutMs: null,
        data: JSON.stringify({ ...DATA, input }),
        secrets: {},
        httpAllow: null,
        replay: [],
        depth: 0,
        tellsImpure: false,
        application: null,
        ...more,
      };
    },
    async finish(job, options) {
      const { host, outcome } = start(job, options);
      return { ...(await outcome), host };
    },
    failNextLoad() {
      fails = true;
    },
    resume: (job, records) => ({ ...job, replay: records, isCalm: true }),
    async close() {
      await runtime.close();
      await stub.close();
    },
  };
}
