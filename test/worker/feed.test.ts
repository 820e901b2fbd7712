import { expect, test } from "vitest";
import type { ExecutionJob, JournalRecord } from "../../runtime/execution.ts";
import { DEFAULT_LIMITS } from "../../runtime/limits.ts";
import { Feed } from "../../runtime/worker/feed.ts";
import type { RunLink } from "../../runtime/worker/run-options.ts";
import { until } from "../support/until.ts";

const ARGS = '{"key":"a"}';
const record = (seq: number, payload: string): JournalRecord => ({
  ...{ seq, pos: seq, op: "accessories.read", hash: "", kind: "result", at: 1 },
  ...{ payload, args: null, meter: null },
});
const job = (replay: readonly JournalRecord[], offline: boolean): ExecutionJob =>
  ({
    executionId: "x",
    data: "{}",
    secrets: {},
    seed: "s",
    limits: DEFAULT_LIMITS,
    replay,
    offline,
  }) as unknown as ExecutionJob;

/** A feed whose guest takes a turn when `turn` is called. */
function start(replay: readonly JournalRecord[], kind: "result" | "error" = "result", offline = false) {
  const handed: string[] = [];
  const failed: unknown[] = [];
  let [made, openTurns] = [0, 0];
  const dispatch = async () => {
    made++;
    return {
      kind,
      payload: kind === "error" ? '{"code":"INTERNAL","message":"gone"}' : `made of ${made}`,
      meter: null,
    };
  };
  const feed = new Feed(
    { job: job(replay, offline), dispatch, link: {} as RunLink },
    {
      hand: (records) => {
        handed.push(...records.map(({ payload }) => payload));
        openTurns++;
      },
      openTurns: () => openTurns,
      more: () => feed.feed(),
      failed: (error) => failed.push(error),
    },
  );
  return { feed, handed, failed, made: () => made, turn: () => void openTurns-- };
}

const bare = (seq: number) => record(seq, `{"$again":${ARGS}}`);

test("a result is made again only when the guest has taken all before it, and in its order", async () => {
  const { feed, handed, made, turn } = start([record(0, "0"), bare(1), bare(2), record(3, "3")]);
  expect(feed.feed()).toBe(false);
  expect([handed, made()]).toEqual([["0"], 0]);
  turn();
  expect(feed.feed()).toBe(false);
  await until(() => handed.length === 2);
  expect([feed.feed(), made()]).toEqual([false, 1]);
  turn();
  feed.feed();
  await until(() => handed.length === 4);
  expect(handed).toEqual(["0", "made of 1", "made of 2", "3"]);
  turn();
  turn();
  expect(feed.feed()).toBe(true);
});

test("a result that cannot be made ends the attempt: what the guest saw was no error; offline there is no other", async () => {
  const online = start([bare(0)], "error");
  online.feed.feed();
  await until(() => online.failed.length === 1);
  expect(online.handed).toEqual([]);
  const offline = start([bare(0)], "error", true);
  offline.feed.feed();
  await until(() => offline.handed.length === 1);
  expect(offline.failed).toEqual([]);
});
