import { hash } from "node:crypto";
import { MANIFEST } from "../../runtime/capabilities/index.ts";
import type { ExecutionJob, HostProfile } from "../../runtime/execution.ts";
import { DEFAULT_LIMITS, type Limits } from "../../runtime/limits.ts";
import { parseModels } from "../../runtime/models/config.ts";
import { Pool } from "../../runtime/pool/pool.ts";
import { buildHostSource } from "../../runtime/worker/host-source.ts";
import type { RunOutcome } from "../../runtime/worker/run-options.ts";
import { createJournalHost, type JournalHost } from "../runtime/journal-host.ts";

/** What a host that was taken over writes to its worker; `@RUN@` stands for the number of the run that took it. */
export interface TakenFrames {
  /** Texts, each with its line end where it shall have one; `times` repeats one. */
  readonly write: readonly { readonly text: string; readonly times?: number }[];
  /** True when nothing of what the host itself says leaves it from then on. */
  readonly mute: boolean;
}

/** A run and all that it made its main thread hear. */
export interface TakenRun {
  readonly outcome: RunOutcome["outcome"];
  readonly host: JournalHost;
}

/** What a test may choose for a run. */
export interface TakenOptions {
  readonly account?: string;
  readonly profile?: HostProfile;
  readonly input?: unknown;
  readonly limits?: Partial<Limits>;
  readonly timeoutMs?: number;
  readonly isolation?: ExecutionJob["isolation"];
}

/** The real pool, with hosts and realms in which a run can be the attacker that has already won. */
export interface TakenPool {
  /** Runs the body of `execute(ctx)` once; a host that dies loses it. */
  once(body: string, options?: TakenOptions): Promise<TakenRun>;
  /** As the engine does: a run that is lost begins again, a suspect alone and only once. */
  run(body: string, options?: TakenOptions): Promise<TakenRun>;
  readonly pool: Pool;
  close(): Promise<void>;
}

/** Goes before the program of a host: a start whose input has `taken` hands the socket over. */
function takeOver(): void {
  const { Socket } = require("node:net");
  const { on } = Socket.prototype;
  let isFirst = true;
  Socket.prototype.on = function (event: string, listener: (data: Buffer) => void) {
    if (event === "data" && isFirst) {
      isFirst = false;
      let rest = "";
      on.call(this, "data", (data: Buffer) => {
        const lines = (rest + data.toString("utf8")).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const [letter, run, , text] = line.split("\t");
          if (letter !== "S" || !text?.includes('"taken":')) continue;
          const { write, mute } = JSON.parse(text).input.taken as TakenFrames;
          const send = this.write.bind(this);
          for (const { text: frame, times = 1 } of write) {
            const bytes = Buffer.from(frame.replaceAll("@RUN@", run ?? ""));
            for (let i = 0; i < times; i++) send(bytes);
          }
          if (mute) this.write = () => true;
        }
      });
    }
    return on.call(this, event, listener);
  };
}

/** The program of hosts in which every realm has the way out in its hands, as after a hole in V8 or in the prelude. */
async function sourceOfTaken(): Promise<string> {
  const source = await buildHostSource(MANIFEST);
  const lost = source.replace(
    "return boot;",
    "return (post, names) => { globalThis.stolenPost = post; return boot(post, names); };",
  );
  if (lost === source) throw new Error("the prelude does not end as it used to");
  return `(${takeOver})();\n${lost}`;
}

const DATA = {
  ...{ messages: [], params: {}, env: {}, metadata: {}, session_id: "session", request_id: "request" },
  ...{ workflow_info: { ref_name: "test", version: "1.0.0", depth: 0 }, accessories: [] },
};

/** Starts it with one worker thread. */
export async function startTakenPool(): Promise<TakenPool> {
  const bundles = new Map<string, string>();
  let count = 0;
  const pool = Pool.start({
    source: await sourceOfTaken(),
    wall: null,
    hostFlags: [],
    models: parseModels({ file: null, env: {} }),
    allowPrivate: [],
    allowHosts: [],
    datastores: null,
    limits: DEFAULT_LIMITS,
    warm: ["fast", "hardened"],
    workers: 1,
    settle: () => undefined,
    loadBundle: async (key) => bundles.get(key) ?? null,
  });
  await pool.ready();
  const jobOf = (body: string, options: TakenOptions): ExecutionJob => {
    const {
      account = "attacker",
      profile = "fast",
      input = null,
      limits = {},
      timeoutMs = 20_000,
      isolation = "frozen",
    } = options;
    const code = `(function(weft){"use strict";return {execute:async(ctx)=>{${body}},describe:()=>null};})`;
    const bundleHash = hash("sha256", code);
    bundles.set(bundleHash, code);
    const now = Date.now();
    return {
      executionId: `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`,
      accountId: account,
      versionId: bundleHash,
      bundleHash,
      profile,
      isolation,
      alone: false,
      limits: { ...DEFAULT_LIMITS, ...limits },
      seed: "5eed".repeat(16),
      startedAt: now,
      deadlineAt: now + timeoutMs,
      timeoutMs,
      data: JSON.stringify({ ...DATA, input }),
      secrets: {},
      httpAllow: null,
      replay: [],
      depth: 0,
      tellsImpure: false,
      application: null,
    };
  };
  const attempt = async (job: ExecutionJob, host: JournalHost): Promise<TakenRun> => ({
    outcome: (await pool.run({ job, mode: "execute" }, host)).outcome,
    host,
  });
  const goOn = async (job: ExecutionJob, before: JournalHost): Promise<TakenRun> => {
    const { outcome, host } = await attempt(job, before);
    if (outcome.status !== "lost" || (job.alone && outcome.suspect)) return { outcome, host };
    const replay = host.records;
    return goOn({ ...job, replay, alone: job.alone || outcome.suspect }, createJournalHost({ replay }));
  };
  return {
    pool,
    once: (body, options = {}) => attempt(jobOf(body, options), createJournalHost()),
    run: (body, options = {}) => goOn(jobOf(body, options), createJournalHost()),
    close: () => pool.close(),
  };
}
