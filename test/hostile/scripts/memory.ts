import type { HostileScript, HostileScripts } from "../../support/hostile.ts";

const bomb = (script: string): HostileScript => ({ script, ends: ["workflow_out_of_memory"] });
/** Memory or time ends it, whichever the machine uses up first. */
const slowBomb = (script: string): HostileScript => ({
  script,
  ends: ["workflow_out_of_memory", "workflow_cpu_exceeded"],
});
/** V8 refuses by an error the script could catch. */
const refused = (script: string, says: string): HostileScript => ({
  script,
  ends: ["workflow_execution_error"],
  says,
});

/** Bombs of the JavaScript heap. */
export const HEAP_BOMBS: HostileScripts = {
  "pushes for ever": bomb("const a = []; for (;;) a.push([a.length]);"),
  "grows arrays by their length": bomb("const a = []; for (;;) { const b = []; b.length = 1e5; a.push(b.fill(1)); }"),
  "fills a preallocated array": bomb(
    "const a = new Array(30e6); for (let i = 0; i < a.length; i++) a[i] = {}; return a.length;",
  ),
  "spreads a giant string": slowBomb(`return [..."x".repeat(5e8)].length;`),
  "splits a giant string": bomb(`const a = []; for (;;) a.push("x,".repeat(1e6).split(","));`),
  "flattens doubled strings": slowBomb(
    `let s = "ab"; const a = []; for (;;) { s = "ab"; while (s.length < 2 ** 28) s += s; a.push(s, s.charCodeAt(7), JSON.stringify(s)); }`,
  ),
  "builds a long chain of strings": bomb(`let s = ""; for (let i = 0; ; i++) s = i + s + "y";`),
  "fills a Map": bomb("const m = new Map(); for (let i = 0; ; i++) m.set(i, {});"),
  "fills a Set": bomb("const s = new Set(); for (let i = 0; ; i++) s.add({});"),
  "fills a WeakMap": slowBomb(
    "const m = new WeakMap(), keep = []; for (;;) { const k = {}; keep.push(k); m.set(k, {}); }",
  ),
  "chains closures": bomb("let f = () => 0; for (;;) { const g = f, x = [1]; f = () => [g, x]; }"),
  "chains promises": bomb(
    "let p = new Promise(() => {}); const keep = []; for (;;) { p = p.then(() => 1); keep.push(p); }",
  ),
  "makes symbols": bomb("const a = []; for (let i = 0; ; i++) a.push(Symbol(String(i)));"),
  "registers symbols": bomb("for (let i = 0; ; i++) Symbol.for('x'.repeat(1000) + i);"),
  "nests arrays": bomb("let a = []; for (;;) a = [a, a];"),
  "adds properties": slowBomb("const o = {}; for (let i = 0; ; i++) o['key' + i] = i;"),
  "adds sparse elements": slowBomb("const a = []; for (let i = 0; ; i++) a[(i * 7919) % 4294967295] = i;"),
  "keeps generator frames": bomb(
    "function* g() { yield 1; } const a = []; for (;;) { const i = g(); i.next(); a.push(i); }",
  ),
  "keeps error stacks": slowBomb(
    "const a = []; for (;;) { const e = new Error('x'.repeat(1000)); e.stack; a.push(e); }",
  ),
  "multiplies BigInts": bomb("let x = 3n ** 1_000_000n; const a = []; for (;;) a.push(x = x * 3n + 1n);"),
  "nests prototypes": slowBomb("let o = {}; for (;;) o = Object.create(o, { a: { value: 1 } });"),
  "clones structures": slowBomb(
    "let o = { a: [1, 2, 3] }; for (;;) o = { a: structuredClone(o), b: structuredClone(o) };",
  ),
  "stringifies for ever": bomb(
    "const o = Array.from({ length: 1e4 }, (_, i) => ({ i })); const a = []; for (;;) a.push(JSON.stringify(o));",
  ),
};

/** Arrays so large that one built-in call never ends or ends the process. */
export const HUGE_ARRAYS: HostileScripts = {
  "fills the largest array": slowBomb("return new Array(2 ** 32 - 1).fill().length;"),
  "makes the largest array from an array-like": slowBomb("return Array.from({ length: 2 ** 32 - 1 }).length;"),
  "copies the largest array-like with toSorted": slowBomb(
    "return Array.prototype.toSorted.call({ length: 2 ** 32 - 1 }).length;",
  ),
  "parses giant JSON": slowBomb(`return JSON.parse("[" + "[],".repeat(2e7) + "1]").length;`),
};

/** Bombs of memory that V8 does not count as heap, or in one piece. */
export const NATIVE_BOMBS: HostileScripts = {
  "makes one giant buffer": refused("return new ArrayBuffer(2 ** 40).byteLength;", "RangeError"),
  "makes small buffers": {
    script: "const a = []; for (;;) a.push(new Uint8Array(1000));",
    // Whichever comes first: the allocator refuses, the heap is full, or the time is up.
    ends: ["workflow_execution_error", "workflow_out_of_memory", "workflow_cpu_exceeded"],
  },
  "makes large buffers": {
    script: "const a = []; for (;;) a.push(new Uint8Array(1e7).fill(1));",
    ends: ["workflow_execution_error", "workflow_out_of_memory", "workflow_cpu_exceeded"],
  },
  "parses deeply nested JSON": slowBomb(`return JSON.parse("[".repeat(2 ** 26) + "]".repeat(2 ** 26)).length;`),
  "makes Intl objects": slowBomb(
    "const a = []; for (;;) a.push(new Intl.DateTimeFormat('de'), new Intl.NumberFormat('fr'), new Intl.Collator('sv'));",
  ),
  "compiles expressions": slowBomb(
    "const a = []; for (let i = 0; ; i++) { const r = new RegExp('(a|b)*' + 'x?'.repeat(200) + i); r.test('b'); a.push(r); }",
  ),
  "doubles a string to its limit": refused(`let s = "x"; for (;;) s += s;`, "RangeError"),
  "repeats a string over its limit": refused(`return "x".repeat(2 ** 30).length;`, "RangeError"),
  "pads a string over its limit": refused(`return "x".padEnd(2 ** 30).length;`, "RangeError"),
  "shifts a BigInt over its limit": refused("return String(1n << (2n ** 40n));", "RangeError"),
  "joins over the limit": refused(`return new Array(2 ** 27).join("abcdefgh").length;`, "RangeError"),
  "applies a giant array": {
    script: "return Math.max.apply(null, new Array(5e6).fill(1));",
    ends: ["workflow_execution_error", "workflow_out_of_memory", "workflow_cpu_exceeded"],
  },
};
