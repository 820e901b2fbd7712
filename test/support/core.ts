import { randomUUID } from "node:crypto";
import { parseSettings } from "../../src/config.ts";
import { type Core, createCore } from "../../src/core.ts";
import type { ExecutionResult, Invocation, InvokeRequest } from "../../src/engine/engine.ts";
import type { Deployment, DeployRequest } from "../../src/engine/workflows.ts";
import { toRunSummary } from "../../src/http/dialects/maitai/run-view.ts";
import { makeDataDir, testEnvironment } from "./data-dir.ts";

/** A real server without HTTP, with shortcuts. */
export interface TestCore extends Core {
  readonly dataDir: string;
  readonly reported: readonly unknown[];
  /** Deploys one file. */
  deploy(ref: string, script: string, more?: Partial<DeployRequest>): Promise<Deployment>;
  invoke(ref: string, more?: Partial<InvokeRequest>): Promise<Invocation>;
  /** Invokes and waits. */
  run(ref: string, more?: Partial<InvokeRequest>): Promise<ExecutionResult>;
}

/** Request of a plain call. */
export function requestOf(accountId: string, ref: string, more: Partial<InvokeRequest> = {}): InvokeRequest {
  return {
    accountId,
    ref,
    version: null,
    input: undefined,
    messages: [],
    params: {},
    metadata: {},
    secrets: {},
    sessionId: null,
    requestId: randomUUID(),
    mode: "sync",
    cache: "default",
    timeoutMs: null,
    onDisconnect: null,
    retry: false,
    priority: 0,
    runAt: null,
    idempotencyKey: null,
    webhook: null,
    ...more,
  };
}

/** Starts it; `environment` adds or replaces settings. With WEFT_DATA_DIR the directory is the caller's. */
export async function startTestCore(environment: Readonly<Record<string, string>> = {}): Promise<TestCore> {
  const own = environment["WEFT_DATA_DIR"] === undefined ? await makeDataDir() : null;
  const dataDir = environment["WEFT_DATA_DIR"] ?? own?.path ?? "";
  const reported: unknown[] = [];
  const settings = parseSettings(testEnvironment(dataDir, "weft_test", environment));
  const core = await createCore(settings, (error) => reported.push(error), toRunSummary);
  await core.start();
  const { accountId, engine, workflows } = core;
  const invoke = (ref: string, more?: Partial<InvokeRequest>) => engine.invoke(requestOf(accountId, ref, more));
  return {
    ...core,
    dataDir,
    reported,
    invoke,
    run: async (ref, more) => (await invoke(ref, more)).result,
    deploy: (ref, text, more) =>
      workflows.deploy({
        accountId,
        ref,
        upload: { files: [{ path: `${ref}.ts`, text }] },
        settings: {},
        accessories: [],
        publish: true,
        bump: "minor",
        notes: "",
        ...more,
      }),
    async close() {
      await core.stop();
      await core.close();
      await own?.remove();
    },
  };
}
