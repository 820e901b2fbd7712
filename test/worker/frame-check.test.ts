import { expect, test } from "vitest";
import { isHonestFrame } from "../../runtime/worker/frame-check.ts";

const isHonest = (frame: string) => isHonestFrame(frame.split("\t"), 5);

test.each([
  ...["R", "h\t0", "h\t123456789", "N\tabc", "o\t5\t0\tsleep\t{}\t", "o\t1\t-1\t\tnot json\tnode", "u\t1\t0\t\t\t"],
  ...["e\t1\t0\t1\t2\t3", "l\t1\t0\tevil\t\t", "k\t1\t7\t", "f\t1\t0\t{}", "t\t1\t2500", "t\t0\t0", "s\t1", "m\t1\t"],
  ...["d\t1\tCPU_LIMIT_EXCEEDED\t1\t", "d\t1\tMEMORY_LIMIT_EXCEEDED\t0\t2,3", "x\t0\tCPU_LIMIT_EXCEEDED"],
])("%j may come from a host that is ours", (frame) => {
  expect(isHonest(frame)).toBe(true);
});

test.each([
  ...[
    "",
    "\t",
    "\t\t\t",
    "?",
    "S\t1\t{}",
    "B\tx\tnull",
    "rR",
    "__proto__",
    "constructor\t1",
    "R\t",
    "h",
    "h\tNaN",
    "h\t-1",
    "h\t1.5",
    "h\t1e3",
  ],
  ...[
    "N",
    "N\t",
    `N\t${"x".repeat(1_001)}`,
    "o",
    "oo\t1\t0\tsleep\t{}\t",
    "o\t1\t0\tsleep\t{}",
    "o\t1\t0\tsleep\t{}\t\t",
    "o\t1\tx\tsleep\t{}\t",
  ],
  ...[
    "o\t6\t0\tsleep\t{}\t",
    "o\t-1\t0\tsleep\t{}\t",
    "o\t\t0\tsleep\t{}\t",
    "o\t__proto__\t0\tsleep\t{}\t",
    "o\t1.0\t0\tsleep\t{}\t",
    "o\t 1\t0\tsleep\t{}\t",
  ],
  ...[
    "e\t1\t0.5\tp\t1\t1",
    "e\t1\t9007199254740993\tp\t1\t1",
    "e\t1\tInfinity\tp\t1\t1",
    "e\t\u0661\t0\tp\t1\t1",
    "k",
    "k\t1\t0",
    "f\t1\t\t{}",
  ],
  ...["t\t1", "t\t1\t", "t\t1\tNaN", "t\t1\tInfinity", "t\t1\t-1", "t\t9007199254740992\t0"],
  ...[
    "d\t1\tINTERNAL\t1\t",
    "d\t1\tCPU_LIMIT_EXCEEDED\t2\t",
    "d\t1\tCPU_LIMIT_EXCEEDED\t1\t,,7",
    "d\t1\tCPU_LIMIT_EXCEEDED\t1",
    "x\t1\tconstructor",
    "x\t6\tCPU_LIMIT_EXCEEDED",
  ],
])("%j does not", (frame) => {
  expect(isHonest(frame)).toBe(false);
});
