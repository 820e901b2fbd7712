import type { HostileScript, HostileScripts } from "../../support/hostile.ts";

const cpu = (script: string): HostileScript => ({ script, ends: ["workflow_cpu_exceeded"] });
/** Burns time in one profile and memory in the other, depending on how fast the machine is. */
const either = (script: string): HostileScript => ({
  script,
  ends: ["workflow_cpu_exceeded", "workflow_out_of_memory"],
});

/** Loops that V8 can stop between two instructions. */
export const LOOPS: HostileScripts = {
  "loops for ever": cpu("for (;;);"),
  "loops after an await": cpu("await ctx.sleep(1); for (;;);"),
  "loops in a then": cpu("await Promise.resolve().then(() => { for (;;); });"),
  "loops in a timer": cpu("await new Promise(() => setTimeout(() => { for (;;); }, 1));"),
  "awaits null for ever": cpu("for (;;) await null;"),
  "chains microtasks for ever": cpu(
    "const next = () => Promise.resolve().then(next); next(); await new Promise(() => {});",
  ),
  // The result is in; whether the turn that burns on still spoils it depends on how surely it is to blame.
  "returns and burns on": {
    script: "const next = () => Promise.resolve().then(next); setTimeout(next, 0); next(); return 1;",
    ends: ["ok", "workflow_cpu_exceeded"],
    output: 1,
  },
  "floods the microtask queue": either(
    "const flood = () => { queueMicrotask(flood); queueMicrotask(flood); }; flood(); await new Promise(() => {});",
  ),
  "reads an async generator without end": cpu(
    "async function* all() { for (;;) yield 1; } let n = 0; for await (const one of all()) n += one; return n;",
  ),
  "catches its own termination": cpu("for (;;) { try { for (;;); } catch {} }"),
  "continues in finally": cpu("for (;;) { try { for (;;); } finally { continue; } }"),
  "burns its budget over many turns": cpu(
    "for (;;) { const until = performance.now(); for (let i = 0; i < 3e6; i++); await ctx.sleep(1); }",
  ),
  "has a getter that loops in a ctx argument": cpu(`await ctx.http.get({ get url() { for (;;); } });`),
  "has a proxy that loops in a ctx argument": cpu(
    `await ctx.chat.completions.create(new Proxy({}, { ownKeys() { for (;;); } }));`,
  ),
  "has a toJSON that loops in emit": cpu(`ctx.emit("x", { toJSON() { for (;;); } }); return 1;`),
  "has a toString that loops in log": cpu("ctx.log({ toJSON() { for (;;); } }); return 1;"),
  "matches a catastrophic expression": cpu(`return /^(a+)+$/.test("a".repeat(64) + "b");`),
  "replaces with a catastrophic expression": cpu(`return ("a".repeat(64) + "b").replace(/(a|aa)+$/g, "");`),
  "parses dates for ever": cpu(`for (;;) Date.parse("Thu, 01 Jan 1970 00:00:00 GMT");`),
  "compares with Intl for ever": either(
    `const c = new Intl.Collator("de"); for (;;) c.compare("a".repeat(1e4), "a".repeat(1e4) + "b");`,
  ),
  "evaluates functions for ever": either(`for (let i = 0; ; i++) new Function("return " + i)();`),
  "loops in prepareStackTrace": {
    script: `export const config = { isolation: "context" };
      export function execute() { Error.prepareStackTrace = () => { for (;;); }; return new Error("x").stack; }`,
    ends: ["workflow_cpu_exceeded"],
  },
};

const LENGTH = "{ length: 2 ** 53 - 1 }";
/** Methods that walk an array-like of 2^53 - 1 elements inside V8, where no termination reaches them. */
const WALKS: Readonly<Record<string, string>> = {
  indexOf: "indexOf.call($, 1)",
  lastIndexOf: "lastIndexOf.call($, 1)",
  includes: "includes.call($, 1)",
  reverse: "reverse.call($)",
  fill: "fill.call($)",
  copyWithin: "copyWithin.call($, 1, 0)",
  splice: "splice.call($, 0, 1)",
  shift: "shift.call($)",
  unshift: "unshift.call({ length: 2 ** 53 - 2 }, 1)",
  slice: "slice.call({ length: 2 ** 32 - 1 })",
  flat: "flat.call($)",
  forEach: "forEach.call($, () => {})",
  every: "every.call($, () => true)",
  find: "find.call($, () => false)",
  reduce: "reduce.call($, () => 1)",
  sort: "sort.call($)",
  join: "join.call({ length: 2 ** 32 - 1 })",
  toSpliced: "toSpliced.call({ length: 2 ** 32 - 2 }, 0, 0)",
};

/** Built-ins that nothing inside V8 stops: the host process is killed and replaced. */
export const UNSTOPPABLE: HostileScripts = {
  ...Object.fromEntries(
    Object.entries(WALKS).map(([name, call]) => [
      `walks an endless array with ${name}`,
      either(`Array.prototype.${call.replace("$", LENGTH)}; return 1;`),
    ]),
  ),
  "sorts an array of holes": either("return new Array(2 ** 32 - 1).sort().length;"),
  "joins endless raw strings": either("return String.raw({ raw: { length: 2 ** 53 - 1 } });"),
  "raises a BigInt to a huge power": either("return String((7n ** 40_000_000n) % 10n);"),
  "divides huge BigInts": either("let x = 3n ** 3_000_000n; for (;;) x = (x * x) % (7n ** 5_000_000n);"),
  "prints a huge BigInt": either("return (1n << 16_000_000n).toString().length;"),
  "normalizes a giant string": either(`return "\\u1e9b\\u0323".repeat(2 ** 27).normalize("NFKD").length;`),
  "searches a typed array again and again": either("const a = new Float64Array(6e6); for (;;) a.indexOf(1);"),
  "sorts a typed array again and again": either(
    "const a = new Float64Array(4e6).map((_, i) => -i); for (;;) a.sort().reverse();",
  ),
  "throws a getter that loops at its top level": {
    script: "throw { get message() { for (;;); } }; export const execute = () => 1;",
    ends: ["invalid_script"],
  },
  "rejects with a getter that loops": cpu(
    "Promise.reject({ get message() { for (;;); }, get stack() { for (;;); } }); await new Promise(() => {});",
  ),
  "rejects late with a getter that loops": cpu(
    "setTimeout(() => Promise.reject({ get message() { for (;;); }, get stack() { for (;;); } }), 1); await new Promise(() => {});",
  ),
};
