import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../runtime/index.ts";
import type { Recording } from "../../src/recording/format.ts";
import { redactRecording } from "../../src/recording/redact-recording.ts";

const LINK = `https://weft.example/approve/${"0".repeat(32)}.abc123.${"x".repeat(43)}`;
const RECORDING: Recording = {
  head: {
    type: "recording",
    format: 1,
    execution: {
      id: "00000000-0000-4000-8000-000000000000",
      ref: "asks",
      version: "1.0.0",
      createdAt: 1,
      startedAt: 1,
      usage: { promptTokens: 0, completionTokens: 0, costUsd: 0, ops: 1, cpuMs: 0 },
      end: { status: "waiting" },
      secretNames: [],
    },
    job: {
      seed: "00",
      depth: 0,
      deadlineAt: null,
      limits: DEFAULT_LIMITS,
      isolation: "frozen",
      profile: "fast",
      application: null,
      httpAllow: null,
      data: "{}",
    },
  },
  bundle: { code: "", hash: "", sourceMap: "" },
  sources: [],
  accessories: new Map(),
  records: [
    {
      seq: 0,
      pos: 0,
      kind: "result",
      op: "approve.request",
      hash: "",
      payload: JSON.stringify({ id: "apr_1", link: LINK }),
      at: 1,
      args: "{}",
      meter: null,
    },
  ],
  chunks: [{ index: 0, type: '"link"', content: JSON.stringify(LINK), text: false }],
  logs: [],
};

test("links that decide a question are taken out, everywhere as the same text", async () => {
  const { records, chunks } = await redactRecording(RECORDING, []);
  const { link } = JSON.parse(records[0]?.payload ?? "") as { link: string };
  expect(link).toMatch(/^https:\/\/weft\.example\[secret redacted \d\]$/);
  expect(JSON.parse(chunks[0]?.content ?? "")).toBe(link);
});

test("a text that is too short to be found is refused", async () => {
  await expect(redactRecording(RECORDING, ["Bob"])).rejects.toMatchObject({ code: "INVALID_REQUEST" });
});
