import { expect, test } from "vitest";
import { Reports } from "../../runtime/worker/reports.ts";
import { MANY, POST } from "../../sandbox/wire.ts";

const LIMITS = {
  ...{ maxOutputBytes: 1_000, maxArgBytes: 1_000, maxChunkBytes: 100, maxChunks: 3, maxChunkTotalBytes: 150 },
  ...{ maxLogLines: 2, maxLogLineBytes: 100, maxConcurrentOps: 2, maxTools: 1, maxToolCalls: 1, maxToolTextBytes: 1 },
};

/** What is heard of frames of one run, by kind; `fed`: results that were sent ahead. */
function heard(frames: readonly string[], settled = 0, fed = 0): string {
  const kinds: string[] = [];
  const note = (kind: string) => () => void kinds.push(kind);
  const listener = {
    op: note("op"),
    drop() {
      kinds.push("drop");
      return true;
    },
    chunk: note("chunk"),
    log: note("log"),
    done: note("done"),
    failed: note("failed"),
  };
  const reports = new Reports(listener, LIMITS);
  reports.fed(Array.from({ length: fed }, () => ({ kind: "result" })));
  for (const [i, frame] of frames.entries()) {
    if (i === 2) for (let n = 0; n < settled; n++) reports.settled();
    reports.take(frame.split("\t"));
  }
  return kinds.join(" ");
}

const ops = (count: number) => Array.from({ length: count }, (_, pos) => `o\t1\t${pos}\tsleep\t{}\t`);
const chunk = (index: number, content = "1") => `e\t1\t${index}\t"x"\t${content}\t0`;
const LOG = 'l\t1\t0\tinfo\t"text"\t';

test("what a guest within its limits sends is passed on", () => {
  expect(heard([...ops(2), "u\t1\t0\t\t\t", LOG, chunk(0), chunk(1), "k\t1\t0\t"])).toBe(
    "op op drop log chunk chunk done",
  );
  expect(heard(ops(3), 1)).toBe("op op op");
  expect(heard([...ops(2), "u\t1\t0\t\t\t", "o\t1\t2\tsleep\t{}\t"])).toBe("op op drop op");
});

test.each<[what: string, heard: string, ...frames: string[]]>([
  ["an op whose arguments are no JSON", "failed", "o\t1\t0\tsleep\tnot json\t"],
  ["an op under a name that is too long", "failed", `o\t1\t0\t${"x".repeat(101)}\t{}\t`],
  ["an op of a node whose name is too long", "failed", `o\t1\t0\tsleep\t{}\t${"x".repeat(201)}`],
  ["more ops than may run at once", "op op failed", ...ops(3)],
  ["a log line that is no JSON", "failed", "l\t1\t0\tinfo\tnot json\t"],
  ["a log line that is no text", "failed", "l\t1\t0\tinfo\t7\t"],
  ["fields of a log line that are no JSON", "failed", 'l\t1\t0\tinfo\t"text"\t{'],
  ["more log lines than it may", "log log failed", LOG, LOG, LOG],
  ["chunks that do not begin at 0", "failed", chunk(1)],
  ["the same chunk twice", "chunk failed", chunk(0), chunk(0)],
  ["a chunk whose type is no text", "failed", "e\t1\t0\t7\t1\t0"],
  ["a chunk whose content is no JSON", "failed", chunk(0, "{")],
  ["a text chunk that is none", "failed", 'e\t1\t0\t"x"\t7\t1'],
  ["a chunk that is too large", "failed", chunk(0, `"${"x".repeat(100)}"`)],
  ["too much in chunks", "chunk failed", chunk(0, `"${"x".repeat(80)}"`), chunk(1, `"${"x".repeat(80)}"`)],
  ["too many chunks", "chunk chunk chunk failed", ...[0, 1, 2, 3].map((i) => chunk(i))],
  ["an output that is no JSON", "failed", "k\t1\t0\tnot json"],
  ["an output that is nested too deeply", "failed", `k\t1\t0\t${"[".repeat(600)}${"]".repeat(600)}`],
])("%s fails its execution", (_, kinds, ...frames) => {
  expect(heard(frames)).toBe(kinds);
});

const many = (...posts: readonly (readonly unknown[])[]) =>
  `m\t1\t${posts.map((post) => post.join(MANY.member) + MANY.end).join("")}`;
const OP = [POST.op, 0, "sleep", "{}", ""];

test("posts among many count like those that come alone", () => {
  const chunkPost = [POST.chunk, 0, '"x"', "1", "0"];
  expect(heard([many(OP, chunkPost, [POST.drop, 0, "", "", ""]), "o\t1\t1\tsleep\t{}\t"])).toBe("op chunk drop op");
  expect(heard([many(OP, OP, OP)])).toBe("op op failed");
  expect(heard([many(chunkPost, chunkPost)])).toBe("chunk failed");
  expect(heard(["m\t1\t"])).toBe("");
});

test.each([
  ["a log line", [POST.log, 0, "info", '"text"', ""]],
  ["an end", [POST.done, 0, "", "1", ""]],
  ["many in one of them", [POST.many, 0, "", "", ""]],
  ["too few members", [POST.op, 0, "sleep", "{}"]],
  ["too many members", [POST.op, 0, "sleep", "{}", "", ""]],
  ["a number that is none", [POST.op, "1e1", "sleep", "{}", ""]],
  ["nothing", []],
])("%s among many costs the execution that sent it", (_, post) => {
  expect(heard([many(OP, post)])).toBe("op failed");
});

test("a run gets on by no more turns than it was fed", () => {
  expect(heard(["s\t1"])).toBe("failed");
  expect(heard(["s\t1", "s\t1", "s\t1"], 0, 2)).toBe("failed");
  expect(heard(["s\t1", "s\t1", ...ops(4)], 0, 2)).toBe("op op op op");
});
