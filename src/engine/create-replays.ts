import { fail, type Runtime, toWorkflowError } from "../../runtime/index.ts";
import type { RecordingLine } from "../recording/format.ts";
import { readRecording } from "../recording/read-recording.ts";
import { type ReplayWith, replayRecording } from "../recording/replay-recording.ts";
import type { Engine } from "./engine.ts";
import { stricter } from "./job.ts";
import { type RecordingNeeds, recordingOf } from "./record-execution.ts";
import { type CheckResult, MAX_CHECKED, type Replays } from "./replays.ts";
import type { RunPage, RunQuery } from "./run-list.ts";
import { checkScript } from "./script-check.ts";
import { createTurns } from "./turns.ts";
import type { Execution } from "./types.ts";

/** Executions looked at per page. */
const PAGE = 100;

/** What the service stands on. */
export type ReplayOptions = RecordingNeeds & {
  readonly runtime: Runtime;
  readonly engine: Pick<Engine, "findExecution" | "listExecutions">;
};

async function* textsOf(lines: AsyncIterable<RecordingLine>): AsyncIterable<string> {
  for await (const line of lines) yield JSON.stringify(line);
}

/** The run whose result the cache gave to this one, which did nothing itself; CONFLICT when it is gone. */
async function originOf({ accountId, id }: Execution, { store }: ReplayOptions): Promise<Execution> {
  const originId = await store.resultOf({ accountId, executionId: id });
  const found = originId === null ? null : await store.findExecution({ accountId, executionId: originId });
  if (found !== null) return found;
  const origin =
    originId === null
      ? "a run that is not known any more"
      : `run exec_${originId.replaceAll("-", "")}, which was deleted`;
  const message = `The run did nothing itself: the result cache answered it with the result of ${origin}.`;
  throw fail("CONFLICT", { message, id, result_of: originId });
}

/** Makes the service. */
export function createReplays(options: ReplayOptions): Replays {
  const { engine, runtime, store, profileOf } = options;
  // A recording may be large: an account has one in memory, however many checks it asks for.
  const inTurn = createTurns();

  /** Ids, newest first. Results from the cache ran nothing, so there is nothing to compare. */
  async function* idsOf(query: Pick<RunQuery, "accountId" | "ref" | "filter">): AsyncIterable<string> {
    let cursor: string | null = null;
    do {
      const page: RunPage = await engine.listExecutions({ ...query, limit: PAGE, offset: 0, cursor });
      for (const { id, state } of page.items) if (state.status !== "completed" || !state.cached) yield id;
      cursor = page.next;
    } while (cursor !== null);
  }

  async function* chosen(accountId: string, ref: string, last: number): AsyncIterable<string> {
    let left = last;
    for await (const id of idsOf({ accountId, ref, filter: { statuses: ["completed", "failed"] } })) {
      if (left-- === 0) break;
      yield id;
    }
    yield* idsOf({ accountId, ref, filter: { statuses: ["waiting"] } });
  }

  const replayOne = async (
    target: { readonly accountId: string; readonly executionId: string },
    using: ReplayWith,
  ): Promise<CheckResult | null> => {
    // Read again: it may have gone on or been deleted since it was listed.
    const execution = await engine.findExecution(target).catch((thrown: unknown) => {
      if (toWorkflowError(thrown).code === "EXECUTION_NOT_FOUND") return null;
      throw thrown;
    });
    if (execution === null) return null;
    const recording = await readRecording(textsOf(recordingOf(execution, { accessories: false }, options)));
    const { accountId, versionId } = execution;
    const accessories = (await store.findVersion({ accountId, versionId }))?.accessories ?? {};
    const accessory = async (key: string) => {
      const entry = Object.hasOwn(accessories, key) ? accessories[key] : undefined;
      return entry === undefined ? null : options.accessories.read(entry, 0, entry.bytes);
    };
    const { verdict } = await replayRecording(runtime, recording, { ...using, accessory });
    return { execution, verdict };
  };

  return {
    async *recording({ accountId, executionId, accessories }) {
      const execution = await engine.findExecution({ accountId, executionId });
      const isCached = execution.state.status === "completed" && execution.state.cached;
      yield* recordingOf(isCached ? await originOf(execution, options) : execution, { accessories }, options);
    },
    async *check({ accountId, key, upload, last }): AsyncIterable<CheckResult> {
      if (!Number.isInteger(last) || last < 1 || last > MAX_CHECKED) {
        const message = `last: must be a whole number from 1 to ${MAX_CHECKED}, got ${last}`;
        throw fail("INVALID_REQUEST", { message, param: "last", limit: "last", value: last });
      }
      const { bundle, isolation: needed } = await checkScript(runtime, upload, {
        accountId,
        profile: profileOf(accountId),
      });
      for await (const executionId of chosen(accountId, key, last)) {
        const isolation = stricter(needed, options.isolation);
        const using = { bundle, accountId, isolation };
        const result = await inTurn(accountId, () => replayOne({ accountId, executionId }, using));
        if (result !== null) yield result;
      }
    },
  };
}
