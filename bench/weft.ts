import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostProfileEnv } from "./profiles.ts";
import { root, startProgram } from "./program.ts";
import { SCRIPTS, type ScriptRef } from "./scripts.ts";

/** How to start a server. */
export interface WeftOptions {
  readonly dataDir: string;
  /** More settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** Directory for CPU profiles of its threads, written when it stops, and for logs of its hosts; null = none. */
  readonly profileDir?: string | null;
}

/** A Weft server in a process of its own, started as a user starts it. */
export interface Weft {
  readonly url: string;
  readonly pid: number;
  /** Milliseconds from spawning the process until it was ready for calls. */
  readonly readyMs: number;
  /** `performance.now()` when the process was spawned. */
  readonly spawnedAt: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Uploads script text under a ref and makes it the active version. */
  upload(ref: string, script: string): Promise<void>;
  /** Sends JSON and waits for the answer; throws when the status is not 2xx. */
  post(path: string, body: unknown): Promise<void>;
  /** Uploads a workflow of the bench. */
  deploy(ref: ScriptRef): Promise<void>;
  /** Runs a workflow and waits for its answer; throws when the status is not 2xx. */
  call(ref: string, input: unknown, more?: Readonly<Record<string, unknown>>): Promise<CallAnswer>;
  /** Begins a run in the background; resolves to its id, `exec_…`. */
  begin(ref: string, input: unknown): Promise<string>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** What matters of an answer. */
export interface CallAnswer {
  readonly output: unknown;
  readonly status: number;
  readonly cache: string | null;
}

const dataDirs = new Set<string>();

process.once("exit", () => {
  for (const dataDir of dataDirs) rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
});

const CHAT = "/workflow/chat/completions";

/** Body of a call of a workflow of the bench. */
export function toCallBody(ref: string, input: unknown, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ model: `workflow:${ref}`, input, ...more });
}

/** URL that calls go to. */
export function callUrl(weft: Pick<Weft, "url">): string {
  return `${weft.url}${CHAT}`;
}

/** Runs `work` with a temporary data directory, which is removed afterwards. */
export async function withDataDir<T>(work: (dataDir: string) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), "weft-bench-"));
  dataDirs.add(dataDir);
  try {
    return await work(dataDir);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
    dataDirs.delete(dataDir);
  }
}

async function post(url: string, headers: Weft["headers"], body: string): Promise<Response> {
  const response = await fetch(url, { method: "POST", headers, body });
  if (response.ok) return response;
  throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
}

async function untilReady(url: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/readyz`);
    await response.arrayBuffer();
    if (response.ok) return;
  }
}

function toApi(url: string, key: string): Pick<Weft, "headers" | "upload" | "post" | "call" | "begin"> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return {
    headers,
    async upload(ref, script) {
      const body = JSON.stringify({ workflow_ref_name: ref, script, publish_version: true });
      await (await post(`${url}/api/v1/workflows/upload`, headers, body)).arrayBuffer();
    },
    async post(path, body) {
      await (await post(`${url}${path}`, headers, JSON.stringify(body))).arrayBuffer();
    },
    async begin(ref, input) {
      const response = await post(`${url}${CHAT}`, headers, toCallBody(ref, input, { background: true }));
      return ((await response.json()) as { readonly id: string }).id;
    },
    async call(ref, input, more) {
      const response = await post(`${url}${CHAT}`, headers, toCallBody(ref, input, more));
      const { output } = (await response.json()) as { readonly output?: unknown };
      return { output, status: response.status, cache: response.headers.get("x-weft-cache") };
    },
  };
}

/** Starts a server and waits until it is ready for calls. */
export async function startWeft({ dataDir, env = {}, profileDir = null }: WeftOptions): Promise<Weft> {
  const key = `weft_bench_${randomBytes(12).toString("hex")}`;
  const profile = profileDir === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  const spawnedAt = performance.now();
  const program = await startProgram({
    args: [...profile, join(root, "src/cli/weft.mjs"), "start", "--json"],
    env: {
      WEFT_PORT: "0",
      WEFT_DATA_DIR: dataDir,
      WEFT_API_KEY: key,
      WEFT_EXAMPLES: "off",
      WEFT_HTTP_ALLOW_PRIVATE: "127.0.0.0/8",
      WEFT_STOP_GRACE_MS: "1000",
      ...(profileDir === null ? {} : hostProfileEnv(profileDir)),
      ...env,
    },
  });
  const { url } = JSON.parse(program.firstLine) as { readonly url: string };
  await untilReady(url);
  const readyMs = performance.now() - spawnedAt;
  const api = toApi(url, key);
  const deploy = (ref: ScriptRef) => api.upload(ref, SCRIPTS[ref]);
  return { ...api, deploy, url, spawnedAt, readyMs, pid: program.pid, stop: program.stop, kill: program.kill };
}
