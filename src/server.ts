import { collectWhenIdle, type RuntimeStats } from "../runtime/index.ts";
import type { Settings } from "./config.ts";
import { type Core, createCore } from "./core.ts";
import type { Services } from "./engine/services.ts";
import { exampleDatastores, fillDatastores, type LoadedExamples, loadExamples } from "./examples/load-examples.ts";
import { createApp } from "./http/app.ts";
import { toRunSummary } from "./http/dialects/maitai/run-view.ts";
import { ensureOwnerKey } from "./owner-key.ts";
import { weftVersion } from "./version.ts";

/** A running server. */
export interface Server extends Services {
  /** Base URL without a closing slash. */
  readonly url: string;
  /** The owner's key when this start made it, to be shown once; null when there was one. */
  readonly key: string | null;
  /** Refs of the examples that this start loaded. */
  readonly examples: readonly string[];
  /** Datastores of the examples that this start fills while the server already answers. */
  readonly filling: { readonly datastores: readonly string[]; readonly done: Promise<void> };
  /** The owner's account. */
  readonly accountId: string;
  stats(): RuntimeStats;
  /** Stops accepting, waits for running executions up to the grace, leaves the rest to the next start, closes everything. */
  close(): Promise<void>;
}

/** Setting of the store that says how far the examples are. */
const EXAMPLES = "examples";

const NOTHING: LoadedExamples = { refs: [], datastores: [] };

async function loadIntoEmpty(core: Core, { examples }: Settings): Promise<LoadedExamples> {
  const { store, accountId } = core;
  if (examples === "off") return NOTHING;
  const state = await store.readSetting({ name: EXAMPLES });
  if (state === "filling") return { refs: [], datastores: await exampleDatastores() };
  const { total } = await store.listWorkflows({ accountId, limit: 1, offset: 0 });
  // A start that ended half way through the examples goes on with them at the next one.
  if (total > 0 && state !== "loading") return NOTHING;
  await store.writeSetting({ name: EXAMPLES, value: "loading" });
  const loaded = await loadExamples(core);
  await store.writeSetting({ name: EXAMPLES, value: "filling" });
  return loaded;
}

/** Fills the datastores of the examples, which takes seconds, and notes then that the examples are there; never rejects. */
async function fillInBackground(core: Core, { datastores }: LoadedExamples, filling: Filling): Promise<void> {
  if (datastores.length === 0) return;
  try {
    await fillDatastores(datastores, core, filling.signal);
    if (!filling.signal.aborted) await core.store.writeSetting({ name: EXAMPLES, value: "loaded" });
  } catch (error) {
    if (!filling.signal.aborted) filling.report(error);
  }
}

interface Filling {
  readonly signal: AbortSignal;
  report(error: unknown): void;
}

async function serve(core: Core, settings: Settings, report: (error: unknown) => void): Promise<Server> {
  const { store, services, accountId, runtime } = core;
  // Built while the hosts start: neither needs the other.
  const app = await createApp({
    services,
    limits: settings.limits,
    executionsPerMinute: settings.executionsPerMinute,
    accountOfKey: (hash) => services.accounts.keys.callerOf(hash),
    maxDelayMs: settings.maxDelayMs,
    corsOrigins: settings.corsOrigins,
    trustProxy: settings.trustProxy,
    accountDefaults: {
      requestsPerMinute: settings.accountRequestsPerMinute,
      concurrency: settings.accountConcurrency,
    },
    ready: () => services.engine.ready() && store.isSound(),
    report,
    version: weftVersion(),
  });
  await runtime.ready();
  const examples = await loadIntoEmpty(core, settings);
  core.listenAt(`http://${settings.host}:${settings.port}`);
  await core.start();
  const url = await app.listen({ host: settings.host, port: settings.port });
  core.listenAt(url);
  // Made last: a key of a start that failed before would never be shown to anyone.
  const key = await ensureOwnerKey(store, settings.apiKey);
  const stopCollecting = collectWhenIdle();
  const stopping = new AbortController();
  const done = fillInBackground(core, examples, { signal: stopping.signal, report });
  return {
    url,
    key,
    examples: examples.refs,
    filling: { datastores: examples.datastores.map(({ name }) => name), done },
    ...services,
    accountId,
    stats: () => runtime.stats(),
    // The engine stops before the HTTP server closes, so that open requests still get their answers.
    async close() {
      stopping.abort();
      stopCollecting();
      await core
        .stop()
        .finally(() => done)
        .finally(() => app.close())
        .finally(() => core.close());
    },
  };
}

/**
 * Starts a server: store, runtime, engine and HTTP. `report` gets errors that are bugs of ours or failures of the disk.
 * Throws INVALID_REQUEST for a setting that cannot be used and CONFLICT when another server has the data directory.
 */
export async function startServer(settings: Settings, report: (error: unknown) => void): Promise<Server> {
  const core = await createCore(settings, report, toRunSummary);
  try {
    return await serve(core, settings, report);
  } catch (error) {
    await core.stop().finally(() => core.close());
    throw error;
  }
}
