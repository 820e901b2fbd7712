import type { HostileScript, HostileScripts } from "../../support/hostile.ts";

/** Time or memory ends it, depending on machine and profile. */
const burns = (script: string): HostileScript => ({
  script,
  ends: ["workflow_cpu_exceeded", "workflow_out_of_memory"],
});
/** V8 may also refuse with an error of its own. */
const burnsOrThrows = (script: string): HostileScript => ({
  script,
  ends: ["workflow_cpu_exceeded", "workflow_out_of_memory", "workflow_execution_error"],
});

const ENDLESS = "const endless = { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }) }) };";

/** Built-ins that take what has no end, or call back into the script as long as it likes. */
export const ENDLESS_BUILTINS: HostileScripts = {
  "spreads what has no end": burns(`${ENDLESS} return [...endless].length;`),
  "makes a Set of what has no end": burns(
    `${ENDLESS} let i = 0; return new Set({ [Symbol.iterator]: () => ({ next: () => ({ value: i++, done: false }) }) }).size;`,
  ),
  "waits for what has no end": burns(`${ENDLESS} return Promise.all(endless);`),
  "races what has no end": burns(`${ENDLESS} return Promise.race(endless);`),
  "collects what has no end": burns(`${ENDLESS} return Iterator.from(endless).map((x) => x).toArray();`),
  "drops from what has no end": burns(`${ENDLESS} return Iterator.from(endless).drop(2 ** 53 - 1).next();`),
  "groups what has no end": burns(`${ENDLESS} return Map.groupBy(endless, () => ({}));`),
  "reads entries without end": burns(
    `return Object.fromEntries({ [Symbol.iterator]: () => ({ next: () => ({ value: ["a", 1], done: false }) }) });`,
  ),
  "awaits an array without end": burns(
    "return Array.fromAsync({ [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1, done: false }) }) });",
  ),
  "sorts with a comparator that never returns": burns("return [3, 1, 2].sort(() => { for (;;); });"),
  "sorts with a comparator that grows the array": burns(
    "const a = Array.from({ length: 1e4 }, (_, i) => i); const more = () => { a.push(...a.slice(0, 1e3)); return -1; }; for (;;) a.sort(more);",
  ),
  "sorts a typed array with a comparator that loops": burns(
    "return new Float64Array(100).sort(() => { for (;;); }).length;",
  ),
  "revives JSON for ever": burns(`return JSON.parse("[1]", () => { for (;;); });`),
  "stringifies through a replacer that never ends": burnsOrThrows("return JSON.stringify({ a: 1 }, () => [1]).length;"),
  "replaces with an exec that lies": burns(
    `return RegExp.prototype[Symbol.replace].call({ flags: "g", global: true, exec: () => Object.assign([""], { index: 0 }), lastIndex: 0 }, "a", "b");`,
  ),
  "splits with a species that lies": burns(
    `return RegExp.prototype[Symbol.split].call({ constructor: { [Symbol.species]: function () { return { exec: () => null, lastIndex: 0 }; } }, flags: "" }, "x".repeat(2 ** 28));`,
  ),
  "lists the keys of an endless proxy": burns(
    "let p = new Proxy({}, { ownKeys: () => Array.from({ length: 1e6 }, (_, i) => 'k' + i), getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }) }); for (;;) ({ ...p });",
  ),
  "walks prototypes that never end": burns(
    "let p; p = new Proxy({}, { getPrototypeOf: () => { for (;;); } }); return p instanceof Object;",
  ),
};

/** Expressions that backtrack without end. */
export const BACKTRACKING: HostileScripts = {
  "nests quantifiers over alternatives": burns(`return /^(([a-z])+.)+[A-Z]([a-z])+$/.test("a".repeat(64));`),
  "looks behind": burns(`return /(?<=b(a+)+)c/.test("a".repeat(64) + "c");`),
  "looks ahead": burns(`return /(?=(a+a+)+b)/.test("a".repeat(64));`),
  "refers back": burns(`return /(a*)*\\1\\1(a*)*b/.test("a".repeat(64));`),
  "matches sets of strings": burns(`return /^([\\p{L}--[b]]+|a)+$/v.test("a".repeat(64) + "b");`),
  "ignores case by Unicode": burns(`return /^(\\u017f|s)+(s|S)+$/iu.test("s".repeat(3e5) + "!");`),
  "searches from every place": burns(`return /x+x+x+y/.test("x".repeat(1e5));`),
  "splits by one": burns(`return ("a".repeat(64) + "b").split(/(a+)+$/).length;`),
  "matches all": burns(`return [...("a".repeat(64) + "b").matchAll(/(a|a)+$/g)].length;`),
};

/** Long work on one large value in native code. */
export const LARGE_VALUES: HostileScripts = {
  "parses a number of a million digits": burns(`const s = "9".repeat(2e6); for (;;) BigInt(s);`),
  "takes a BigInt modulo 2^1e9": burnsOrThrows("return String(BigInt.asUintN(2 ** 53 - 1, -1n)).length;"),
  "compares giant strings by locale": burns(`const a = "\\u00e4".repeat(5e6); for (;;) a.localeCompare(a + "b");`),
  "changes the case of a giant string": burns(
    `const s = "\\u0130".repeat(1e7); for (;;) s.toLocaleLowerCase("tr").toLocaleUpperCase("de");`,
  ),
  "encodes a giant URI": burnsOrThrows(`return encodeURIComponent("\\ud83d\\ude00".repeat(4e7)).length;`),
  "decodes giant base64": burnsOrThrows(`const s = "QUFB".repeat(1e8); for (;;) atob(s);`),
  "encodes a giant text": burnsOrThrows(`for (;;) new TextEncoder().encode("\\u20ac".repeat(1e8));`),
  "clones a giant structure": burns(
    "const a = Array.from({ length: 1e6 }, (_, i) => ({ i })); for (;;) structuredClone(a);",
  ),
  "flattens ropes of strings": burns(
    `for (;;) { let s = ""; for (let i = 0; i < 2e6; i++) s = i % 2 ? s + i : i + s; s.indexOf("no"); }`,
  ),
  "replaces every letter by the whole": burnsOrThrows(`return "x".repeat(1e5).replaceAll("x", "$\`$'").length;`),
  "applies 2^32 arguments": burnsOrThrows("return Math.max.apply(null, { length: 2 ** 32 - 1 });"),
  "constructs with 2^32 arguments": burnsOrThrows("return Reflect.construct(Array, { length: 2 ** 32 - 1 }).length;"),
  "makes a typed array from 2^53 - 1": burnsOrThrows("return Uint8Array.from({ length: 2 ** 53 - 1 }).length;"),
  "copies a typed array within itself": burns("const a = new Uint8Array(3e7); for (;;) a.copyWithin(1, 0);"),
  "compiles a function of a million parameters": burnsOrThrows(
    `return new Function(Array.from({ length: 1e6 }, (_, i) => "a" + i).join(), "return 1")();`,
  ),
  "compiles a giant function again and again": burns(
    `for (let i = 0; ; i++) (0, eval)("(() => {" + "x = 1;".repeat(1e6) + i + "})");`,
  ),
  "draws random bytes for ever": burns("const a = new Uint8Array(65536); for (;;) crypto.getRandomValues(a);"),
  "prints numbers in every locale": burns(
    `for (let i = 0; ; i++) (i + 0.5).toLocaleString(["de", "ar", "hi", "th"][i % 4], { style: "currency", currency: "EUR" });`,
  ),
  "rounds endless durations": burnsOrThrows(
    `for (;;) Temporal.Duration.from({ days: 1e8 }).round({ largestUnit: "years", relativeTo: "2000-01-01" });`,
  ),
  "stacks errors without end": burns(
    `Error.stackTraceLimit; const f = (n) => n === 0 ? new Error("x".repeat(1e5)).stack : f(n - 1); const a = []; for (;;) a.push(f(500));`,
  ),
};

/** Floods of objects that something outside the heap stands behind, or that would be told of the collector. */
export const OBJECT_FLOODS: HostileScripts = {
  "makes signals of signals": burnsOrThrows("let s = ctx.signal; for (;;) s = AbortSignal.any([s, ctx.signal]);"),
  "makes signals that time out": {
    script: "for (;;) AbortSignal.timeout(1e6);",
    ends: ["workflow_limit_exceeded"],
  },
  "listens to ctx.signal without end": burns("for (;;) ctx.signal.addEventListener('abort', () => 1);"),
  "dispatches from a listener": burnsOrThrows(
    "const t = new EventTarget(); t.addEventListener('x', () => t.dispatchEvent(new Event('x'))); t.dispatchEvent(new Event('x')); for (;;);",
  ),
  "imports without end": burnsOrThrows(
    `const a = []; for (let i = 0; ; i++) a.push((0, eval)("import('x" + i + "')"));`,
  ),
  "makes buffers of every size": burnsOrThrows(
    "const a = []; for (let i = 0; ; i++) a.push(new ArrayBuffer(i * 1000));",
  ),
  "views one buffer without end": burns(
    "const b = new ArrayBuffer(8), a = []; for (;;) a.push(new DataView(b), new Uint8Array(b));",
  ),
  "makes weak sets": burns("const a = []; for (;;) { const k = {}; const s = new WeakSet([k]); a.push(k, s); }"),
  "makes locales": burns(
    `const a = []; for (let i = 0; ; i++) a.push(new Intl.Locale("de", { numberingSystem: "latn" }), new Intl.PluralRules("ar"), new Intl.RelativeTimeFormat("fr"));`,
  ),
  "makes Temporal objects": burns(
    "const a = []; for (;;) a.push(Temporal.ZonedDateTime.from('2000-01-01T00:00[UTC]'));",
  ),
  "uses shared memory, WebAssembly and weak references": {
    script: `const gone = ["SharedArrayBuffer", "Atomics", "WebAssembly", "WeakRef", "FinalizationRegistry", "ShadowRealm"].filter((name) => name in globalThis);
      const tries = ["Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)", "new WebAssembly.Memory({ initial: 65536 })", "new WeakRef({})", "new FinalizationRegistry(() => 1)", "new ArrayBuffer(8, { maxByteLength: 2 ** 33 }).resize(2 ** 32)", "new Uint8Array(8).buffer.transfer(2 ** 32)", "structuredClone(new ArrayBuffer(8), { transfer: [] }).resize(9)"];
      for (const code of tries) try { (0, eval)(code); gone.push(code); } catch {}
      return gone;`,
    ends: ["ok"],
    output: [],
  },
};
