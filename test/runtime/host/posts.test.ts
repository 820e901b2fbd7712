import { expect, test } from "vitest";
import { createPosts } from "../../../runtime/host/posts.ts";
import { POST } from "../../../sandbox/wire.ts";

/** The frames that come of posts. */
function framesOf(posts: readonly (readonly unknown[])[], maxLogLines = 10): readonly string[] {
  const frames: string[] = [];
  const { pass } = createPosts({ write: (frame) => void frames.push(frame) });
  const run = { id: 7, facts: { limits: { maxLogLines } }, logs: 0 };
  for (const post of posts) pass(run, post as never);
  return frames;
}

const ALL = [
  [POST.op, 3, "http.request", '{"a":1}', "node"],
  [POST.drop, 3, "", "", ""],
  [POST.chunk, 0, '"x"', '"y"', "1"],
  [POST.log, 0, "info", '"text"', ""],
  [POST.done, 0, "", "1", ""],
  [POST.failed, 1, "", "{}", ""],
];

test("posts that were held back come to the same frames as those that were not", () => {
  const frames = framesOf(ALL);
  expect(frames.map((frame) => frame.slice(0, 3))).toEqual(["o\t7", "u\t7", "e\t7", "l\t7", "k\t7", "f\t7"]);
  const held = ALL.map((post) => `${post.join("\t")}\n`).join("");
  expect(framesOf([[POST.many, 0, "", held, ""]])).toEqual(frames);
});

test("what cannot be a post is dropped, whatever is around it", () => {
  const bad = [
    "",
    "1",
    "1\t0\ta\t{}",
    "1\t0\ta\t{}\t\textra",
    "1\tx\ta\t{}\t",
    "1\t1.5\ta\t{}\t",
    "7\t0\t\t1\t0\ta\t{}\t\t",
    "9\t0\ta\t{}\t",
  ];
  const held = [bad[0], ...bad.slice(1), "1\t5\tsleep\t{}\t"].join("\n");
  expect(framesOf([[POST.many, 0, "", held, ""]])).toEqual(["o\t7\t5\tsleep\t{}\t"]);
  const whole = [
    [POST.op, 0, "a\tb", "{}", ""],
    [POST.op, 0, "a", "{}\n", ""],
    [POST.op, 0.5, "a", "{}", ""],
    [POST.op, 0, {}, "{}", ""],
    [POST.many, 0, "", {}, ""],
    ["1", 0, "a", "{}", ""],
  ];
  expect(framesOf(whole)).toEqual([]);
});

test("lines of the log that were held back count like the others", () => {
  const line = `${POST.log}\t0\tinfo\t"text"\t\n`;
  const frames = framesOf([[POST.many, 0, "", line.repeat(5), ""]], 3);
  expect(frames).toHaveLength(3);
  expect(frames[2]).toContain("more than 3 lines");
});
