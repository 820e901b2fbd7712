import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createRuntime,
  fail,
  type ModelConfig,
  parseModels,
  type Runtime,
  type RuntimeStats,
} from "../runtime/index.ts";
import { createResultCache } from "./cache/result-cache.ts";
import type { Settings } from "./config.ts";
import { createEngine } from "./engine/create-engine.ts";
import { createWorkflows } from "./engine/create-workflows.ts";
import type { Engine } from "./engine/engine.ts";
import { createProfiles } from "./engine/profiles.ts";
import type { WorkflowService } from "./engine/workflows.ts";
import { createApp } from "./http/app.ts";
import { loadExamples } from "./load-examples.ts";
import { ensureOwnerKey } from "./owner-key.ts";
import { createSqliteStore } from "./store/sqlite/store.ts";
import type { Store } from "./store/store.ts";

const MIB = 1024 * 1024;

/** A running server. */
export interface Server {
  /** Base URL without a closing slash. */
  readonly url: string;
  /** The owner's key when this start made it, to be shown once; null when there was one. */
  readonly key: string | null;
  /** Refs of the examples that this start loaded. */
  readonly examples: readonly string[];
  readonly accountId: string;
  readonly engine: Engine;
  readonly workflows: WorkflowService;
  stats(): RuntimeStats;
  /** Stops accepting, waits for running executions up to the grace, leaves the rest to the next start, closes everything. */
  close(): Promise<void>;
}

async function readModels(settings: Settings): Promise<ModelConfig> {
  const { modelsFile, environment } = settings;
  if (modelsFile === null) return parseModels({ file: null, env: environment });
  const file = await readFile(modelsFile, "utf8").catch((cause: unknown) => {
    throw fail("INVALID_REQUEST", { message: `WEFT_MODELS: cannot read ${modelsFile}`, setting: "WEFT_MODELS" }, cause);
  });
  return parseModels({ file, env: environment });
}

/** Version of this Weft, as its package says. */
async function readVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "..", "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

async function openStore(settings: Settings): Promise<Store> {
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  return createSqliteStore({ file: join(settings.dataDir, "weft.db"), durability: settings.durability });
}

/** Things to undo in reverse order, each even when another fails. */
class Closers {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.unshift(step);
  }

  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.splice(0)) await step().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }
}

async function startRuntime(settings: Settings, store: Store, closers: Closers): Promise<Runtime> {
  const runtime = await createRuntime({
    workers: settings.workers,
    models: await readModels(settings),
    allowPrivate: settings.allowPrivate,
    warm: [settings.hostProfile === "hardened" ? "hardened" : "fast"],
    loadBundle: (hash) => store.bundleCode({ hash }),
  });
  closers.add(() => runtime.close());
  return runtime;
}

async function compose(settings: Settings, report: (error: unknown) => void, closers: Closers): Promise<Server> {
  const store = await openStore(settings);
  closers.add(() => store.close());
  const { id: accountId } = await store.ownerAccount();
  const runtime = await startRuntime(settings, store, closers);
  const { limits, maxConcurrent, maxQueued, maxNested, isolation, cacheTtlMs } = settings;
  const profileOf = createProfiles(settings.hostProfile, accountId);
  const cache = createResultCache({
    store,
    maxBytes: settings.cacheMemoryMb * MIB,
    maxStoredBytes: settings.cacheDiskMb * MIB,
  });
  const workflows = createWorkflows({ store, runtime, limits, profileOf });
  const engine = createEngine({
    store,
    runtime,
    cache,
    profileOf,
    report,
    limits,
    settings: { maxConcurrent, maxQueued, maxNested, isolation, cacheTtlMs },
  });
  const key = await ensureOwnerKey(store, settings.apiKey);
  const empty = (await store.listWorkflows({ accountId, limit: 1, offset: 0 })).total === 0;
  const examples = empty && settings.examples === "on" ? await loadExamples(workflows, accountId) : [];
  const app = await createApp({
    engine,
    workflows,
    limits,
    accountOfKey: (hash) => store.accountOfKey({ hash }),
    ready: () => engine.ready(),
    version: await readVersion(),
  });
  closers.add(() => app.close());
  await engine.start();
  // The engine stops before the HTTP server closes, so that open requests still get their answers.
  closers.add(() => engine.stop(settings.stopGraceMs));
  const url = await app.listen({ host: settings.host, port: settings.port });
  const stats = () => runtime.stats();
  return { url, key, examples, accountId, engine, workflows, stats, close: () => closers.run() };
}

/**
 * Starts a server: store, runtime, engine and HTTP. `report` gets errors that are bugs of ours or failures of the disk.
 * Throws INVALID_REQUEST for a setting that cannot be used and CONFLICT when another server has the data directory.
 */
export async function startServer(settings: Settings, report: (error: unknown) => void): Promise<Server> {
  const closers = new Closers();
  try {
    return await compose(settings, report, closers);
  } catch (error) {
    await closers.run().catch(report);
    throw error;
  }
}
