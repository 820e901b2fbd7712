import type { StartFacts } from "../../sandbox/wire.ts";
import type { ExecutionJob } from "../execution.ts";

/** The part of a job that its host process needs. */
export function startFacts(job: ExecutionJob, mode: StartFacts["mode"]): StartFacts {
  const { limits } = job;
  return {
    key: `${job.accountId}:${job.versionId}`,
    bundleHash: job.bundleHash,
    isolation: job.alone ? "isolate" : job.isolation,
    mode,
    seed: job.seed,
    now: job.startedAt,
    deadlineAt: job.deadlineAt,
    memoryMb: limits.memoryMb,
    cpuMs: limits.cpuMs,
    turnMs: limits.turnMs,
    limits: {
      maxOutputBytes: limits.maxOutputBytes,
      maxArgBytes: limits.maxArgBytes,
      maxChunkBytes: limits.maxChunkBytes,
      maxChunks: limits.maxChunks,
      maxChunkTotalBytes: limits.maxChunkTotalBytes,
      maxLogLines: limits.maxLogLines,
      maxLogLineBytes: limits.maxLogLineBytes,
      maxConcurrentOps: limits.maxConcurrentOps,
      maxTools: limits.maxTools,
      maxToolCalls: limits.maxToolCalls,
      maxToolTextBytes: limits.maxToolTextBytes,
    },
  };
}
