import { type CtxData, fail, type Isolation, type SourceFile, type Upload } from "../../runtime/index.ts";
import { RECORDING_FORMAT, type RecordedEnd, type RecordingHead, type RecordingLine } from "../recording/format.ts";
import type { Execution, Store, Version } from "../store/store.ts";
import type { AccessoryContents } from "./accessory-contents.ts";
import { stricter } from "./job.ts";
import type { Parts } from "./parts.ts";
import { parseScriptConfig } from "./script-config.ts";

/** Chunks or log lines read at a time. */
const PAGE = 500;

/** What recording an execution needs. */
export type RecordingNeeds = Pick<Parts, "store" | "profileOf" | "limits" | "accessories"> & {
  /** Least isolation of every execution. */
  readonly isolation: Isolation;
};

async function endOf({ id, state }: Execution, store: Store): Promise<RecordedEnd> {
  if (state.status === "completed") return { status: "completed", output: state.output ?? "null" };
  if (state.status === "failed" || state.status === "cancelled") return { status: state.status, error: state.error };
  if (state.status !== "waiting") return { status: state.status };
  const calls = await store.awaitedCalls({ executionId: id });
  return { status: "waiting", ...(calls === null ? {} : { calls }) };
}

/** Start of the guest's clock. */
async function clockOf({ id, state, createdAt }: Execution, store: Store): Promise<number> {
  const fork = await store.findFork({ executionId: id });
  return fork?.clockAt ?? ("startedAt" in state && state.startedAt !== null ? state.startedAt : createdAt);
}

/** The deadline that the script was told of its last attempt. */
function deadlineOf({ timeoutMs, mode, createdAt, resumedAt, state }: Execution): number | null {
  const startedAt = "startedAt" in state ? state.startedAt : null;
  const from = resumedAt ?? (mode === "background" ? startedAt : createdAt);
  return timeoutMs === null || from === null ? null : from + timeoutMs;
}

async function headOf(execution: Execution, version: Version, needs: RecordingNeeds): Promise<RecordingHead> {
  const { accountId, workflowId, data } = execution;
  const workflow = await needs.store.findWorkflow({ accountId, key: workflowId });
  const { secret_names: secretNames = [] } = JSON.parse(data) as CtxData;
  return {
    type: "recording",
    format: RECORDING_FORMAT,
    execution: {
      id: execution.id,
      ref: execution.ref,
      version: version.number,
      createdAt: execution.createdAt,
      startedAt: await clockOf(execution, needs.store),
      usage: execution.usage,
      end: await endOf(execution, needs.store),
      secretNames,
    },
    job: {
      seed: execution.seed,
      depth: execution.depth,
      deadlineAt: deadlineOf(execution),
      limits: needs.limits,
      isolation: stricter(version.isolation, needs.isolation),
      profile: needs.profileOf(accountId),
      application: workflow?.application ?? null,
      httpAllow: parseScriptConfig(version.facts.config).httpAllow,
      data,
    },
  };
}

async function bundleOf(version: Version, store: Store): Promise<RecordingLine> {
  const { accountId, id: versionId, bundleHash: hash } = version;
  const found = await store.versionCode({ accountId, versionId });
  if (found === null) throw fail("VERSION_NOT_FOUND", { version: version.number });
  const stored = JSON.parse(found.sources) as Upload | readonly SourceFile[];
  const sources = "files" in stored ? stored.files : stored;
  return { type: "bundle", hash, code: found.code, sourceMap: found.sourceMap, sources };
}

async function* accessoriesOf(version: Version, contents: AccessoryContents): AsyncIterable<RecordingLine> {
  for (const [key, accessory] of Object.entries(version.accessories)) {
    const bytes = await contents.read(accessory, 0, accessory.bytes);
    if (bytes !== null) yield { type: "accessory", key, base64: Buffer.from(bytes).toString("base64") };
  }
}

async function* outputOf(executionId: string, store: Store): AsyncIterable<RecordingLine> {
  for (let from = 0; ; ) {
    const chunks = await store.readChunks({ executionId, from, limit: PAGE });
    for (const chunk of chunks) yield { type: "chunk", chunk };
    const last = chunks.at(-1);
    if (last === undefined) break;
    from = last.index + 1;
  }
  for (let from = 0; ; ) {
    const lines = await store.readLogs({ executionId, from, limit: PAGE });
    for (const line of lines) yield { type: "log", line };
    const last = lines.at(-1);
    if (last === undefined) break;
    from = last.index + 1;
  }
}

/** What of a recording is wanted. */
export interface RecordingParts {
  readonly accessories: boolean;
}

/** The lines of the recording of a stored execution. */
export async function* recordingOf(
  execution: Execution,
  parts: RecordingParts,
  needs: RecordingNeeds,
): AsyncIterable<RecordingLine> {
  const { store } = needs;
  const { accountId, versionId, id: executionId } = execution;
  const version = await store.findVersion({ accountId, versionId });
  if (version === null) throw fail("EXECUTION_NOT_FOUND", { id: executionId });
  let lines = 0;
  const count = <T>(line: T): T => {
    lines++;
    return line;
  };
  yield count(await headOf(execution, version, needs));
  yield count(await bundleOf(version, store));
  if (parts.accessories) for await (const line of accessoriesOf(version, needs.accessories)) yield count(line);
  for (const record of await store.readJournal({ executionId })) yield count({ type: "delivery", record });
  for await (const line of outputOf(executionId, store)) yield count(line);
  yield { type: "end", lines };
}
