import { describe, expect, test } from "vitest";
import { readRecording } from "../../src/recording/read-recording.ts";
import { rejectionOf } from "../support/thrown.ts";

const HEAD = {
  type: "recording",
  format: 1,
  execution: { id: "x", ref: "r", version: "1.0.0", startedAt: 1, end: { status: "waiting" }, secretNames: [] },
  job: { seed: "00", data: "{}", limits: {} },
};
const BUNDLE = { type: "bundle", code: "", hash: "h", sourceMap: "{}", sources: [] };
const END = { type: "end", lines: 2 };
const read = (...lines: readonly unknown[]) =>
  readRecording(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))));

describe("reading a recording", () => {
  test("takes a whole one", async () => {
    expect(await read(HEAD, BUNDLE, END)).toMatchObject({ bundle: { hash: "h" }, records: [] });
  });

  test.each([
    ["not JSON", [HEAD, "{"], "line 2: is not JSON"],
    ["no object", [HEAD, "7"], "line 2: must be an object"],
    ["another beginning", [BUNDLE, HEAD, END], "line 1: is not the first line"],
    ["another format", [{ ...HEAD, format: 9 }], "line 1: has format 9"],
    ["a head without its job", [{ ...HEAD, job: {} }], "line 1: lacks a member"],
    ["a second head", [HEAD, HEAD], "line 2: begins another"],
    ["an unknown line", [HEAD, { type: "zip" }], 'line 2: has an unknown type "zip"'],
    ["a gap", [HEAD, BUNDLE, { type: "delivery", record: { seq: 1 } }], "line 3: delivery 1 comes where 0 is expected"],
    ["no end", [HEAD, BUNDLE], "line 2: is the last one, but the recording is not whole"],
    ["something behind the end", [HEAD, BUNDLE, END, END], "line 4: comes after the end"],
    ["nothing at all", [], "line 0: is the last one"],
  ])("refuses %s", async (_name, lines, message) => {
    const error = await rejectionOf(read(...lines));
    expect(error).toMatchObject({ code: "INVALID_REQUEST", message: expect.stringContaining(message) });
  });
});
