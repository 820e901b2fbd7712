import { resolve } from "node:path";
import { createRuntime, DEFAULT_LIMITS, parseModels, type Runtime } from "../../runtime/index.ts";
import { collectSources } from "../cli/sources.ts";
import type { Recording } from "../recording/format.ts";
import { nearestCall } from "../recording/nearest-call.ts";
import { openRecording } from "../recording/recording-file.ts";
import { type ComparedCall, type ReplayReport, replayRecording, type Verdict } from "../recording/replay-recording.ts";

/** What a fixture is replayed with. */
export interface ReplayOptions {
  /** Path of the script to test; default: the recorded one. */
  readonly script?: string;
  /** Values of secrets that the script looks at. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Replays recorded runs in a test: no network, no cost, the real sandbox. */
export interface Replayer {
  /** Replays the fixture at `path`; throws {@link ReplayMismatch} unless calls, chunks and end are the recorded ones. */
  replay(path: string, options?: ReplayOptions): Promise<ReplayReport>;
  /** Ends its worker. */
  close(): Promise<void>;
}

/** Why a replay is not the recorded run; test runners show `expected` against `actual`. */
export class ReplayMismatch extends Error {
  override readonly name = "ReplayMismatch";
  readonly verdict: Verdict;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly showDiff = true;

  constructor(message: string, verdict: Verdict, sides: { readonly expected: unknown; readonly actual: unknown }) {
    super(message);
    this.verdict = verdict;
    this.expected = sides.expected;
    this.actual = sides.actual;
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return text;
  }
}

const shown = (call: ComparedCall | null) => (call === null ? null : { op: call.op, args: parsed(call.args) });

/** The error of a verdict, or null for the same run. */
export function mismatchOf(verdict: Verdict, recording: Recording, path: string): ReplayMismatch | null {
  switch (verdict.verdict) {
    case "identical":
      return null;
    case "differs": {
      const sides = { expected: verdict.recorded, actual: verdict.replayed };
      return new ReplayMismatch(`${path}: the ${verdict.part} differs from the recorded one`, verdict, sides);
    }
    case "crashes": {
      const { message, details } = verdict.error;
      const sides = { expected: recording.head.execution.end, actual: { error: message, stack: details["stack"] } };
      return new ReplayMismatch(`${path}: the script fails: ${message}`, verdict, sides);
    }
    case "diverges": {
      const { replayed, recorded, message } = verdict;
      const near =
        replayed === null || recorded?.op === replayed.op ? recorded : nearestCall(recording.records, replayed);
      const hint = near === null || near === recorded ? "" : " Compared with the nearest recorded call.";
      const sides = { expected: shown(near ?? recorded), actual: shown(replayed) };
      return new ReplayMismatch(`${path}: ${message}${hint}`, verdict, sides);
    }
  }
}

/** A runtime that reaches nothing: one worker, no models. */
export async function openOffline(): Promise<Runtime> {
  const runtime = await createRuntime({
    limits: DEFAULT_LIMITS,
    workers: 1,
    models: parseModels({ file: null, env: {} }),
    allowPrivate: [],
    datastores: null,
    hostWall: "none",
    warm: [],
    settle: () => undefined,
    loadBundle: async () => null,
  });
  await runtime.ready();
  return runtime;
}

/** Starts a replayer: one per test file, closed after its tests. Paths are relative to the working directory. */
export async function openReplayer(): Promise<Replayer> {
  const runtime = await openOffline();
  const bundleOf = (script: string) => {
    const files = collectSources([script], process.cwd()).map(({ path, text }) => ({ path, text }));
    return runtime.bundle({ files, entry: files[0]?.path ?? "" });
  };
  return {
    async replay(path, { script, secrets = {} } = {}) {
      const recording = await openRecording(resolve(path), path);
      const bundle = script === undefined ? recording.bundle : await bundleOf(script);
      const report = await replayRecording(runtime, recording, { bundle, secrets });
      const mismatch = mismatchOf(report.verdict, recording, path);
      if (mismatch !== null) throw mismatch;
      return report;
    },
    close: () => runtime.close(),
  };
}
