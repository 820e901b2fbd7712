import { randomBytes, randomUUID } from "node:crypto";
import { createBundler } from "./bundle/bundler.ts";
import type { Bundle, ModuleFacts } from "./bundle-types.ts";
import { MANIFEST } from "./capabilities/index.ts";
import { createDatastoreRuntime } from "./datastores/create-datastore-runtime.ts";
import { createOutbound } from "./egress/outbound.ts";
import { fail } from "./errors.ts";
import type { ExecutionHost, ExecutionJob, HostProfile } from "./execution.ts";
import { createInspectedBundles } from "./inspected-bundles.ts";
import type { Limits } from "./limits.ts";
import { Pool } from "./pool/pool.ts";
import type { Runtime, RuntimeOptions } from "./runtime.ts";
import { raiseWall } from "./wall/bubblewrap.ts";
import { buildHostSource } from "./worker/host-source.ts";

/** A module may spend this much on its top level when it is inspected, ms. */
const INSPECT_MS = 2_000;

function inspectJob(bundle: Bundle, asked: { accountId: string; profile: HostProfile; limits: Limits }): ExecutionJob {
  const now = Date.now();
  return {
    executionId: randomUUID(),
    accountId: asked.accountId,
    versionId: `inspect-${randomUUID()}`,
    bundleHash: bundle.hash,
    profile: asked.profile,
    isolation: "frozen",
    alone: false,
    limits: { ...asked.limits, turnMs: INSPECT_MS, cpuMs: INSPECT_MS },
    seed: randomBytes(32).toString("hex"),
    startedAt: now,
    deadlineAt: now + 2 * INSPECT_MS,
    timeoutMs: 2 * INSPECT_MS,
    data: '{"messages":[],"session_id":""}',
    secrets: {},
    httpAllow: [],
    replay: [],
    depth: 0,
    tellsImpure: false,
    application: null,
  };
}

const noHost: ExecutionHost = {
  commit: () => Promise.resolve(),
  chunks: () => undefined,
  logs: () => undefined,
  impure: () => undefined,
  invoke: () => Promise.reject(fail("CAPABILITY_DENIED")),
  accessory: () => Promise.reject(fail("CAPABILITY_DENIED")),
  files: () => Promise.reject(fail("CAPABILITY_DENIED")),
  agent: () => Promise.reject(fail("CAPABILITY_DENIED")),
  wait: () => Promise.reject(fail("CAPABILITY_DENIED")),
  waited: () => Promise.reject(fail("CAPABILITY_DENIED")),
  reserve: () => Promise.reject(fail("CAPABILITY_DENIED")),
  funded: () => Promise.reject(fail("CAPABILITY_DENIED")),
};

interface Described {
  readonly config?: unknown;
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
}

async function inspectWith(pool: Pool, job: ExecutionJob): Promise<ModuleFacts> {
  const { outcome, frozenComplaint } = await pool.run({ job, mode: "describe" }, noHost);
  if (outcome.status === "completed") {
    const { config, inputSchema, outputSchema } = JSON.parse(outcome.output ?? "{}") as Described;
    const frozen = job.isolation === "frozen";
    return { config: config ?? null, inputSchema: inputSchema ?? null, outputSchema: outputSchema ?? null, frozen };
  }
  if (frozenComplaint && job.isolation === "frozen") return inspectWith(pool, { ...job, isolation: "isolate" });
  const cause = outcome.status === "failed" ? outcome.error : outcome.status === "lost" ? outcome.cause : null;
  const message = `The script cannot be loaded: ${cause?.message ?? "it did not end"}`;
  throw fail("BUNDLE_FAILED", { message, problems: [], stack: cause?.details["stack"] });
}

/** Starts the wall: bundler, worker pool and host processes; they are there when {@link Runtime.ready} resolves. */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const wall = await raiseWall(options.hostWall);
  const { allowHosts = [], hostFlags = [] } = options;
  const inspected = createInspectedBundles();
  const bundler = createBundler({ limits: options.limits });
  const outbound = createOutbound({ allowPrivate: options.allowPrivate, allowHosts });
  const datastores = createDatastoreRuntime({
    root: options.datastores,
    limits: options.limits,
    models: options.models,
  });
  const pool = Pool.start({
    source: await buildHostSource(MANIFEST),
    wall,
    hostFlags,
    models: options.models,
    allowPrivate: options.allowPrivate,
    allowHosts,
    datastores: options.datastores,
    limits: options.limits,
    warm: options.warm,
    workers: options.workers,
    settle: options.settle,
    loadBundle: async (hash) => inspected.codeOf(hash) ?? options.loadBundle(hash),
  });
  return {
    ready: () => pool.ready(),
    outbound,
    datastores,
    bundle: (upload) => bundler.bundle(upload),
    inspect({ bundle, accountId, profile }) {
      const job = inspectJob(bundle, { accountId, profile, limits: options.limits });
      return inspected.during(bundle, () => inspectWith(pool, job));
    },
    async run(job, host, bundle) {
      const run = async () => (await pool.run({ job, mode: "execute" }, host)).outcome;
      return bundle === undefined ? run() : inspected.during(bundle, run);
    },
    cancel: (executionId, error) => pool.cancel(executionId, error),
    stats: () => {
      const { hosts, replaced } = pool.report;
      return { running: pool.running, hosts, hostsReplaced: replaced };
    },
    async close() {
      await Promise.all([pool.close(), bundler.close(), outbound.close(), datastores.close()]);
    },
  };
}
