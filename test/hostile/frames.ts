import type { Random } from "../crash/random.ts";
import type { TakenFrames } from "../support/taken-pool.ts";

const pick = <T>(random: Random, list: readonly T[]): T => list[random.between(0, list.length - 1)] as T;

/** JSON texts, and some that are none. */
const TEXTS: readonly string[] = [
  ...[
    "",
    "null",
    "1",
    '"x"',
    "{}",
    "[]",
    "true",
    "-0",
    "1e999",
    "NaN",
    "undefined",
    "not json",
    '"unclosed',
    "{",
    "]",
    "\\",
    "\u0000",
  ],
  // Posts among many, and what is none.
  ...["1\u001f0\u001fsleep\u001f{}\u001f\u001e", "3\u001f0\u001f1\u001f2\u001f0\u001e2\u001f0\u001f\u001f\u001f\u001e"],
  ...["4\u001f0\u001finfo\u001f1\u001f\u001e", "1\u001f__proto__\u001e", "\u001e\u001e", "\u001f"],
  ...['{"__proto__":{"polluted":1}}', '{"constructor":{"prototype":{"polluted":1}}}', '{"toString":1,"length":1e9}'],
  ...[
    '"\\ud800"',
    '"\\u0000\\u2028"',
    "\ud83d",
    `"${"x".repeat(5_000)}"`,
    `${"[".repeat(600)}${"]".repeat(600)}`,
    "[".repeat(5_000),
  ],
  ...[
    '{"code":"INTERNAL","message":7,"status":200,"details":null}',
    '{"code":"EXECUTION_FAILED","message":"m","details":{"stack":5}}',
  ],
  ...[
    '{"ms":1}',
    '{"until":0}',
    '{"url":"http://169.254.169.254/"}',
    '{"url":"http://127.0.0.1:9/","headers":{"__proto__":"x"}}',
    '{"messages":[],"stream":true}',
  ],
];
const NUMBERS: readonly string[] = [
  ...[
    "0",
    "0",
    "0",
    "1",
    "2",
    "3",
    "7",
    "999",
    "-1",
    "-0",
    "1.5",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e3",
    "0x10",
    " 1",
    "1 ",
    "",
    "a",
  ],
  ...["9007199254740991", "9007199254740992", "99999999999999999999", "__proto__", "constructor", "null", "\u0661"],
];
const RUNS: readonly string[] = [
  "@RUN@",
  "@RUN@",
  "@RUN@",
  "@RUN@",
  "@RUN@",
  "0",
  "1",
  "2",
  "-1",
  "99999",
  "NaN",
  "",
  "__proto__",
  "1.0",
  "9007199254740993",
];
const LETTERS: readonly string[] = [..."RNouelkftdxhmsoueelkfmmBSDACF?", "", "oo", "__proto__", "\u0000"];
const NAMES: readonly string[] = [
  ...[
    "timer",
    "sleep",
    "http.request",
    "chat.completions.create",
    "workflow.completions.create",
    "accessories.read",
    "datastore.get",
    "approve.request",
  ],
  ...[
    "waitFor",
    "files.write",
    "info",
    "evil",
    "delta",
    '"delta"',
    '"x"',
    "",
    "__proto__",
    "constructor",
    "toString",
    "x".repeat(300),
  ],
];
const CODES: readonly string[] = ["CPU_LIMIT_EXCEEDED", "MEMORY_LIMIT_EXCEEDED", "INTERNAL", "", "constructor", "sure"];

const field = (random: Random): string => pick(random, pick(random, [TEXTS, NUMBERS, RUNS, NAMES, CODES]));

/** A frame as a host would write it, with contents that it would not. */
function plausible(random: Random): string {
  const run = random.chance(0.85) ? "@RUN@" : pick(random, RUNS);
  const n = pick(random, NUMBERS);
  const text = pick(random, TEXTS);
  const letter = pick(random, [..."ouelkftdxhN"]);
  const bodies: Readonly<Record<string, readonly string[]>> = {
    o: [run, n, pick(random, NAMES), text, pick(random, ["", "node", text])],
    u: [run, n, "", "", ""],
    e: [run, n, random.chance(0.5) ? '"x"' : text, text, pick(random, ["0", "1", "2", ""])],
    l: [run, n, pick(random, NAMES), random.chance(0.5) ? '"line"' : text, text],
    k: [run, n, text],
    f: [run, n, text],
    t: [run, n],
    d: [run, pick(random, CODES), pick(random, ["0", "1", "2"]), pick(random, ["", run, "1,2,3", ",,", "NaN"])],
    x: [run, pick(random, CODES)],
    h: [n],
    N: [pick(random, ["", "abc", "../../etc/passwd", "0".repeat(64), "__proto__"])],
  };
  return [letter, ...(bodies[letter] ?? [])].join("\t");
}

/** Cuts, doubles, extends or scrambles a frame. */
function mutate(random: Random, frame: string): string {
  const at = random.between(0, frame.length);
  const fields = frame.split("\t");
  const changes: readonly (() => string)[] = [
    () => frame.slice(0, at),
    () => `${frame}\t${field(random)}`,
    () => `${frame}\n${frame}`,
    () => frame.slice(0, at) + pick(random, ["\t", "\n", "\u0000", "\r", "\u2028", "\ud800"]) + frame.slice(at),
    () => fields.with(random.between(0, fields.length - 1), field(random)).join("\t"),
    () => fields.toReversed().join("\t"),
    () => frame.replaceAll("\t", " "),
  ];
  return pick(random, changes)();
}

function frameOf(random: Random): string {
  const kind = random.next();
  if (kind < 0.5) return plausible(random);
  if (kind < 0.8) return mutate(random, plausible(random));
  return [pick(random, LETTERS), ...Array.from({ length: random.between(0, 7) }, () => field(random))].join("\t");
}

/** What one attacker writes: a burst of frames, sometimes one without end, sometimes with no line end at all. */
export function framesOf(random: Random): TakenFrames {
  const write: { text: string; times?: number }[] = [];
  for (let i = random.between(1, 12); i > 0; i--) write.push({ text: `${frameOf(random)}\n` });
  if (random.chance(0.1)) write.push({ text: `o\t@RUN@\t0\tsleep\t${"x".repeat(100_000)}`, times: 400 });
  if (random.chance(0.1)) write.push({ text: `e\t@RUN@\t0\t"x"\t1\t0\n`, times: 20_000 });
  if (random.chance(0.1)) write.push({ text: frameOf(random) });
  return { write, mute: random.chance(0.5) };
}

/** JavaScript of values that a realm which holds the way out may hand to it. */
const VALUES: readonly string[] = [
  ...[
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "-1",
    "1.5",
    "NaN",
    "Infinity",
    "2 ** 53",
    "1n",
    "undefined",
    "null",
    "true",
    "Symbol()",
    "{}",
    "[]",
    "() => 1",
    "ctx",
    "new Proxy({}, {})",
  ],
  ...[
    '""',
    '"x"',
    '"{}"',
    '"null"',
    '"not json"',
    '"\\t"',
    '"a\\nk\\t1\\t0\\t{}"',
    '"\\ud800"',
    '"__proto__"',
    '"sleep"',
    '"http.request"',
    '"timer"',
    '"info"',
    "'\"x\"'",
    '"[".repeat(600)',
    '"x".repeat(3e6)',
  ],
  ...[
    "{ toString() { throw 1; } }",
    "{ valueOf: () => 1 }",
    "new String('x')",
    "new Uint8Array(8)",
    "new Map()",
    "Promise.resolve()",
    "globalThis",
    "stolenPost",
    "new Error('x')",
    '\'{"__proto__":{"polluted":1}}\'',
    '\'{"code":"INTERNAL","message":"forged"}\'',
  ],
];

/** A script that calls the stolen way out again and again. */
export function postsOf(random: Random): string {
  const calls: string[] = [];
  for (let i = random.between(3, 20); i > 0; i--) {
    const count = random.chance(0.8) ? 5 : random.between(0, 8);
    const args = Array.from({ length: count }, (_, at) =>
      at === 0 && random.chance(0.8)
        ? String(random.between(1, 6))
        : at === 1 && random.chance(0.6)
          ? String(random.between(0, 3))
          : pick(random, VALUES),
    );
    calls.push(`try { stolenPost(${args.join(", ")}); } catch {}`);
    if (random.chance(0.2)) calls.push("await ctx.sleep(1);");
  }
  return `${calls.join("\n")}\nreturn "honest";`;
}
