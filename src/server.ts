import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RuntimeStats } from "../runtime/index.ts";
import type { Settings } from "./config.ts";
import { type Core, createCore } from "./core.ts";
import type { Services } from "./engine/services.ts";
import { createApp } from "./http/app.ts";
import { toRunSummary } from "./http/dialects/maitai/run-view.ts";
import { loadExamples } from "./load-examples.ts";
import { ensureOwnerKey } from "./owner-key.ts";

/** A running server. */
export interface Server extends Services {
  /** Base URL without a closing slash. */
  readonly url: string;
  /** The owner's key when this start made it, to be shown once; null when there was one. */
  readonly key: string | null;
  /** Refs of the examples that this start loaded. */
  readonly examples: readonly string[];
  /** The owner's account. */
  readonly accountId: string;
  stats(): RuntimeStats;
  /** Stops accepting, waits for running executions up to the grace, leaves the rest to the next start, closes everything. */
  close(): Promise<void>;
}

/** Setting of the store that says how far the examples are. */
const EXAMPLES = "examples";

async function readVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "..", "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

async function loadIntoEmpty({ store, services, accountId }: Core, { examples }: Settings): Promise<readonly string[]> {
  if (examples === "off") return [];
  const { total } = await store.listWorkflows({ accountId, limit: 1, offset: 0 });
  // A start that ended half way through the examples goes on with them at the next one.
  if (total > 0 && (await store.readSetting({ name: EXAMPLES })) !== "loading") return [];
  await store.writeSetting({ name: EXAMPLES, value: "loading" });
  const loaded = await loadExamples(services.workflows, accountId);
  await store.writeSetting({ name: EXAMPLES, value: "loaded" });
  return loaded;
}

async function serve(core: Core, settings: Settings, report: (error: unknown) => void): Promise<Server> {
  const { store, services, accountId, runtime } = core;
  const examples = await loadIntoEmpty(core, settings);
  const app = await createApp({
    services,
    limits: settings.limits,
    accountOfKey: (hash) => store.accountOfKey({ hash }),
    ready: () => services.engine.ready(),
    report,
    version: await readVersion(),
  });
  core.listenAt(`http://${settings.host}:${settings.port}`);
  await core.start();
  const url = await app.listen({ host: settings.host, port: settings.port });
  core.listenAt(url);
  // Made last: a key of a start that failed before would never be shown to anyone.
  const key = await ensureOwnerKey(store, settings.apiKey);
  return {
    url,
    key,
    examples,
    ...services,
    accountId,
    stats: () => runtime.stats(),
    // The engine stops before the HTTP server closes, so that open requests still get their answers.
    close: () =>
      core
        .stop()
        .finally(() => app.close())
        .finally(() => core.close()),
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
