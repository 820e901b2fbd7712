import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createRuntime, fail, type ModelConfig, parseModels, type Runtime } from "../runtime/index.ts";
import { createResultCache } from "./cache/result-cache.ts";
import type { Settings } from "./config.ts";
import { createAccounts } from "./engine/accounts/create-accounts.ts";
import { createAgents } from "./engine/agents/create-agents.ts";
import { createApprovalLinks } from "./engine/approval-links.ts";
import { createAuditLog } from "./engine/audit/audit-log.ts";
import { type BackupHolds, createBackupHolds } from "./engine/backups/backup-holds.ts";
import { Ledger } from "./engine/budgets/ledger.ts";
import { createEngine } from "./engine/create-engine.ts";
import { createReplays } from "./engine/create-replays.ts";
import { createWorkflows } from "./engine/create-workflows.ts";
import { type Datastores, openDatastores } from "./engine/datastores/open-datastores.ts";
import { createAnyDeploy } from "./engine/deploy.ts";
import { composeFiles, type Files } from "./engine/files/compose-files.ts";
import { createGraphs } from "./engine/graphs/create-graphs.ts";
import type { EngineSettings } from "./engine/parts.ts";
import { createProfiles } from "./engine/profiles.ts";
import { createSchedules, type Schedules } from "./engine/schedules/create-schedules.ts";
import { refuseNewKey, resealStore } from "./engine/sealing/reseal.ts";
import { withSealedGraphs } from "./engine/sealing/sealed-graphs.ts";
import { createSealer, type Sealer } from "./engine/sealing/sealer.ts";
import { openSecrets, type Secrets } from "./engine/secrets/create-secrets.ts";
import type { Services } from "./engine/services.ts";
import { createWebhooks, type Webhooks } from "./engine/webhooks/create-webhooks.ts";
import type { ShowRun } from "./engine/webhooks/message.ts";
import { loadSealKeys, readGivenKeys } from "./seal-key.ts";
import { openContents } from "./store/disk/contents.ts";
import { createPieces } from "./store/disk/pieces.ts";
import { createSqliteStore } from "./store/sqlite/store.ts";
import type { Store } from "./store/store.ts";

const MIB = 1024 * 1024;

/** A server without its HTTP half. */
export interface Core extends Services {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly schedules: Schedules;
  readonly webhooks: Webhooks;
  readonly datastores: Datastores;
  /** The services alone: all that the HTTP half gets. */
  readonly services: Services;
  /** The owner's account. */
  readonly accountId: string;
  /** Resumes what an earlier process left behind and begins to accept calls. */
  start(): Promise<void>;
  /** Tells where the server listens, for links to its pages. */
  listenAt(url: string): void;
  /** Stops accepting and waits for running executions up to the grace; the rest is resumed at the next start. */
  stop(): Promise<void>;
  /** Closes runtime and store, each even when the other fails. */
  close(): Promise<void>;
}

async function readModels({ modelsFile, environment }: Settings): Promise<ModelConfig> {
  if (modelsFile === null) return parseModels({ file: null, env: environment });
  const file = await readFile(modelsFile, "utf8").catch((cause: unknown) => {
    throw fail("INVALID_REQUEST", { message: `WEFT_MODELS: cannot read ${modelsFile}`, setting: "WEFT_MODELS" }, cause);
  });
  return parseModels({ file, env: environment });
}

async function openStore({ dataDir, durability }: Settings): Promise<Store> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  return createSqliteStore({ file: join(dataDir, "weft.db"), durability });
}

/** Contents of files are beside the database. */
async function openFiles(
  { store, holds: { isHeld } }: Pick<Beside, "holds"> & { readonly store: Store },
  settings: Settings,
  report: (error: unknown) => void,
): Promise<Files> {
  const { dataDir, durability, limits, publicUrl } = settings;
  const contents = await openContents({ directory: join(dataDir, "files"), durability });
  const pieces = createPieces(join(dataDir, "files", "pieces"));
  return composeFiles({ store, contents, pieces, limits, publicUrl, report, isHeld });
}

async function startRuntime(settings: Settings, store: Store, ledger: Ledger): Promise<Runtime> {
  return createRuntime({
    limits: settings.limits,
    workers: settings.workers,
    models: await readModels(settings),
    allowPrivate: settings.allowPrivate,
    allowHosts: settings.allowHosts,
    datastores: join(settings.dataDir, "datastores"),
    hostWall: settings.hostWall,
    hostFlags: settings.hostFlags,
    warm: [settings.hostProfile === "hardened" ? "hardened" : "fast"],
    settle: (ticket, cost) => ledger.settle(ticket, cost),
    loadBundle: (hash) => store.bundleCode({ hash }),
  });
}

interface Beside {
  readonly holds: BackupHolds;
  readonly runtime: Runtime;
  readonly sealer: Sealer;
  readonly secrets: Secrets;
  readonly files: Files;
  readonly ledger: Ledger;
}

async function startBeside(store: Store, settings: Settings, report: (error: unknown) => void): Promise<Beside> {
  const { dataDir, secretsLost: lost } = settings;
  const keys = await loadSealKeys(dataDir, await readGivenKeys(settings), () => refuseNewKey(store, lost));
  const sealer = createSealer(keys);
  await resealStore(store, sealer, { lost, report });
  const secrets = await openSecrets({ store, sealer, report, now: Date.now });
  const holds = createBackupHolds(store, settings.dataDir);
  const files = await openFiles({ store, holds }, settings, report);
  const ledger = new Ledger({ store, report, now: Date.now });
  await ledger.open();
  return { sealer, secrets, holds, files, ledger, runtime: await startRuntime(settings, store, ledger) };
}

function toEngineSettings(settings: Settings): EngineSettings {
  const { maxConcurrent, maxQueued, maxJobs, maxNested, isolation, cacheTtlMs, idempotencyTtlMs } = settings;
  const retention = { ageMs: settings.retentionMaxAgeMs, runs: settings.retentionMaxRuns };
  return { maxConcurrent, maxQueued, maxJobs, maxNested, isolation, cacheTtlMs, idempotencyTtlMs, retention };
}

interface Living {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly engine: ReturnType<typeof createEngine>;
  readonly schedules: Schedules;
  readonly webhooks: Webhooks;
  readonly datastores: Datastores;
  readonly accounts: Services["accounts"];
  readonly backups: BackupHolds;
  readonly files: Files;
  readonly links: Awaited<ReturnType<typeof createApprovalLinks>>;
}

/** How the parts of a core begin and end, each after those it needs. */
function lifeOf(parts: Living, stopGraceMs: number): Pick<Core, "start" | "stop" | "listenAt" | "close"> {
  const { store, runtime, engine, schedules, webhooks, datastores, accounts, backups, files, links } = parts;
  return {
    async start() {
      await runtime.ready();
      await files.collector.start();
      await datastores.start();
      await engine.start();
      schedules.start();
      webhooks.start();
    },
    async stop() {
      await schedules.stop();
      await engine.stop(stopGraceMs);
      await webhooks.stop();
      await files.collector.close();
      await datastores.stop();
      await accounts.keys.flush();
      await backups.close();
    },
    listenAt(url) {
      links.listenAt(url);
      files.links.listenAt(url);
    },
    async close() {
      await runtime.close().finally(() => store.close());
    },
  };
}

/** What the operator and the accounts themselves look after. */
function createManagement(
  { store, secrets, holds }: Pick<Beside, "secrets" | "holds"> & { readonly store: Store },
  { auditMaxAgeMs }: Settings,
  report: (error: unknown) => void,
): Pick<Services, "accounts" | "audit" | "backups" | "secrets"> {
  const shared = { store, report, now: Date.now };
  const audit = createAuditLog({ ...shared, maxAgeMs: auditMaxAgeMs });
  return { accounts: createAccounts(shared), audit, backups: holds, secrets };
}

/** Composes store, runtime, cache, engine and services; `showRun` renders the runs that webhooks tell of. Nothing is accepted before {@link Core.start}. */
export async function createCore(given: Settings, report: (error: unknown) => void, showRun: ShowRun): Promise<Core> {
  // Processes of datastores run in other directories.
  const settings = { ...given, dataDir: resolve(given.dataDir) };
  const store = await openStore(settings);
  const { runtime, sealer, secrets, holds, files, ledger } = await startBeside(store, settings, report).catch(
    async (error: unknown) => {
      await store.close();
      throw error;
    },
  );
  const { id: accountId } = await store.ownerAccount();
  const { limits, cacheMemoryMb, cacheDiskMb, isolation, armWindowMs } = settings;
  const profileOf = createProfiles(settings.hostProfile, accountId);
  const cache = createResultCache({ store, maxBytes: cacheMemoryMb * MIB, maxStoredBytes: cacheDiskMb * MIB });
  const shared = { store, runtime, limits, profileOf, accessories: files.accessories };
  const links = await createApprovalLinks(store, settings.publicUrl);
  const deploy = createAnyDeploy(shared);
  const agents = createAgents({ store, deploy });
  const engine = createEngine({
    ...shared,
    ...{ agents, links, files: files.runFiles, ledger, secrets, cache, report },
    settings: toEngineSettings(settings),
  });
  const workflows = createWorkflows({ ...shared, removed: engine.stopWorkflow });
  const schedules = createSchedules({ store, engine, report, now: Date.now });
  const replays = createReplays({ ...shared, engine, isolation });
  const webhooks = createWebhooks({ store, runtime, sealer, showRun, report, now: Date.now });
  const datastores = await openDatastores(
    { store, runtime: runtime.datastores, limits, ledger, report, isHeld: holds.isHeld },
    settings,
  );
  const beside = {
    ...createManagement({ store, secrets, holds }, settings, report),
    ...{ waiting: engine.waiting, budgets: engine.budgets, files: files.service, agents, datastores },
  };
  const graphs = createGraphs({
    store: { ...store, ...withSealedGraphs(store, sealer) },
    engine,
    workflows,
    schedules,
    deploy,
    datastores,
    armWindowMs,
  });
  const services: Services = { engine, workflows, schedules, replays, webhooks, ...beside, graphs };
  return {
    store,
    runtime,
    ...services,
    ...{ schedules, webhooks, datastores },
    services,
    accountId,
    ...lifeOf({ ...beside, store, runtime, engine, schedules, webhooks, files, links }, settings.stopGraceMs),
  };
}
