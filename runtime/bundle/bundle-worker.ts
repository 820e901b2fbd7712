import { parentPort, workerData } from "node:worker_threads";
import type { Bundle, Upload } from "../bundle-types.ts";
import { type ErrorRecord, toRecord, WorkflowError } from "../errors.ts";
import { type CompileLimits, compile } from "./compile.ts";

/** What the worker thread is started with. */
export interface BundleWorkerData {
  readonly limits: CompileLimits;
  /** An empty directory. */
  readonly directory: string;
}

/** One upload on its way to the worker thread. */
export interface BundleRequest {
  readonly id: number;
  readonly upload: Upload;
}

/** The worker's answer; `broken` means that esbuild itself died, maybe because of another upload. */
export type BundleReply =
  | { readonly id: number; readonly status: "done"; readonly bundle: Bundle }
  | { readonly id: number; readonly status: "failed"; readonly error: ErrorRecord }
  | { readonly id: number; readonly status: "broken"; readonly reason: string };

async function answer({ id, upload }: BundleRequest, { limits, directory }: BundleWorkerData): Promise<BundleReply> {
  try {
    return { id, status: "done", bundle: await compile(upload, limits, directory) };
  } catch (thrown) {
    if (thrown instanceof WorkflowError) return { id, status: "failed", error: toRecord(thrown) };
    return { id, status: "broken", reason: String((thrown as Error | null)?.stack ?? thrown) };
  }
}

// Starts esbuild, so that the first upload need not wait for it; should that fail, the first upload says why.
const warmUp: Upload = { files: [{ path: "main.ts", text: "export const execute = () => null" }] };
void answer({ id: -1, upload: warmUp }, workerData as BundleWorkerData);

parentPort?.on("message", async (request: BundleRequest) => {
  parentPort?.postMessage(await answer(request, workerData as BundleWorkerData));
});
