import { expect, test } from "vitest";
import { createPosts } from "../../../runtime/host/posts.ts";
import { MANY, POST } from "../../../sandbox/wire.ts";

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

test("each post has its frame; those that were held back travel as they are", () => {
  const frames = framesOf(ALL);
  expect(frames.map((frame) => frame.slice(0, 3))).toEqual(["o\t7", "u\t7", "e\t7", "l\t7", "k\t7", "f\t7"]);
  const held = `${[POST.op, 3, "sleep", "{}", ""].join(MANY.member)}${MANY.end}`;
  expect(framesOf([[POST.many, 0, "", held, ""]])).toEqual([`m\t7\t${held}`]);
});

test("what cannot be a post is dropped", () => {
  const whole = [
    [POST.op, 0, "a\tb", "{}", ""],
    [POST.op, 0, "a", "{}\n", ""],
    [POST.op, 0.5, "a", "{}", ""],
    [POST.op, 0, {}, "{}", ""],
    [POST.many, 0, "", {}, ""],
    [POST.many, 0, "", "o\n", ""],
    ["1", 0, "a", "{}", ""],
  ];
  expect(framesOf(whole)).toEqual([]);
});
