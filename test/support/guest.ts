import type { HostProfile } from "../../runtime/execution.ts";
import { HostProcess, type Loss, type RunListener } from "../../runtime/worker/host-process.ts";
import { buildHostSource } from "../../runtime/worker/host-source.ts";
import type { Isolation, StartFacts } from "../../sandbox/wire.ts";

/** How one run in a bare host ended, and everything it let out. */
export interface GuestRun {
  readonly output: unknown;
  readonly reads: number;
  readonly error: { readonly code: string; readonly message: string; readonly details: Record<string, unknown> } | null;
  readonly loss: Loss | null;
  readonly chunks: readonly string[];
  readonly logs: readonly string[];
  readonly ops: readonly string[];
}

/** What a test may choose for a run. */
export interface GuestOptions {
  readonly isolation?: Isolation;
  readonly mode?: StartFacts["mode"];
  readonly key?: string;
  readonly input?: unknown;
  readonly seed?: string;
  readonly facts?: Partial<StartFacts>;
  readonly limits?: Partial<StartFacts["limits"]>;
  /** Answers an op (JSON text) or, with undefined, leaves it waiting. */
  readonly answer?: (op: string, args: unknown) => string | undefined;
}

const LIMITS: StartFacts["limits"] = {
  maxOutputBytes: 5_000_000,
  maxArgBytes: 1_000_000,
  maxChunkBytes: 262_144,
  maxChunks: 10_000,
  maxChunkTotalBytes: 64_000_000,
  maxLogLines: 10_000,
  maxLogLineBytes: 16_384,
  maxConcurrentOps: 1_000,
  maxTools: 128,
  maxToolCalls: 128,
  maxToolTextBytes: 65_536,
};

/** A host process without a server around it: bundles are given as the body of `execute(ctx)`. */
export interface GuestHost {
  run(body: string, options?: GuestOptions): Promise<GuestRun>;
  readonly process: HostProcess;
  close(): void;
}

const DEFAULT_ANSWER = (op: string) => (op === "timer" || op === "sleep" ? "null" : undefined);

/** The bundle whose module scope is `top` and whose execute has the given body. */
export function bundleOf(body: string, top = ""): string {
  return `(function(weft){"use strict";${top};return {execute: async (ctx) => {${body}}, describe: () => ({ config: null })};})`;
}

/** Starts a host; `run` takes either a body or, when it starts with "(function", a whole bundle. */
export async function startGuestHost(profile: HostProfile = "fast"): Promise<GuestHost> {
  const bundles = new Map<string, string>();
  const source = await buildHostSource(["chat.completions.create", "http.request", "sleep", "timer", "probe.call"]);
  const process = new HostProcess({
    profile,
    source,
    wall: null,
    loadBundle: async (hash) => bundles.get(hash) ?? null,
    onExit: () => undefined,
  });
  await process.ready;
  return {
    process,
    close: () => process.kill(),
    run(body, options = {}) {
      const code = body.startsWith("(function") ? body : bundleOf(body);
      bundles.set(code, code);
      const hash = `h${[...bundles.keys()].indexOf(code)}`;
      bundles.set(hash, code);
      return runIn(process, hash, options);
    },
  };
}

function runIn(host: HostProcess, hash: string, options: GuestOptions): Promise<GuestRun> {
  const seen = { chunks: [] as string[], logs: [] as string[], ops: [] as string[] };
  const answer = options.answer ?? DEFAULT_ANSWER;
  return new Promise((resolve) => {
    let end: Pick<GuestRun, "output" | "reads" | "error"> | null = null;
    const settle = (loss: Loss | null) =>
      resolve({ ...(end ?? { output: undefined, reads: 0, error: null }), loss, ...seen });
    const listener: RunListener = {
      op(pos, name, args) {
        seen.ops.push(`${name} ${args}`);
        const payload = answer(name, JSON.parse(args));
        if (payload !== undefined) run.deliver({ kind: "result", pos, now: 2_000, payload });
      },
      drop: () => true,
      chunk: ({ type, content }) => void seen.chunks.push(`${type} ${content}`),
      log: (level, message) => void seen.logs.push(`${level} ${JSON.parse(message)}`),
      done(reads, output) {
        end = { output: output === "" ? undefined : JSON.parse(output), reads, error: null };
      },
      failed(_frozen, record) {
        end = { output: undefined, reads: 0, error: JSON.parse(record) };
      },
      turn() {
        if (end === null) return;
        run.close(true);
        settle(null);
      },
      lost: settle,
    };
    const facts: StartFacts = {
      key: options.key ?? hash,
      bundleHash: hash,
      isolation: options.isolation ?? "frozen",
      mode: options.mode ?? "execute",
      seed: options.seed ?? "ab".repeat(32),
      now: 1_000,
      deadlineAt: null,
      memoryMb: 128,
      cpuMs: 10_000,
      turnMs: 1_000,
      limits: { ...LIMITS, ...options.limits },
      ...options.facts,
    };
    const data = {
      input: options.input ?? null,
      messages: [],
      params: {},
      env: {},
      metadata: {},
      session_id: "session",
      request_id: "request",
      workflow_info: { ref_name: "test", version: "1.0.0", depth: 0 },
      accessories: [],
    };
    const run = host.run(facts, { data: JSON.stringify(data), secrets: "{}" }, listener);
  });
}
