import type { HostileScripts } from "../../support/hostile.ts";
import { everywhere } from "./everywhere.ts";

/** Names that only Node, isolated-vm or our own prelude could have put there. */
const FORBIDDEN = `["process", "require", "module", "exports", "Buffer", "global", "ivm", "isolated", "Isolate", "Reference",
  "ExternalCopy", "Callback", "weftBoot", "boot", "deliver", "post", "WEFT_HELLO", "WebAssembly", "SharedArrayBuffer", "Atomics",
  "WeakRef", "FinalizationRegistry", "setImmediate", "importScripts", "Deno", "Bun", "d8", "print", "load", "read"]`;

const GLOBALS = `const names = ${FORBIDDEN};
  const roots = [globalThis, (0, eval)("this"), new Function("return this")(), (function () {}).constructor("return this")(),
    (async () => {}).constructor("return this"), ctx.emit.constructor("return this")(), ctx.http.get.constructor("return globalThis")()];
  const found = [];
  for (const root of roots) for (const name of names) if (root?.[name] !== undefined) found.push(name);
  for (const name of names) try { if (eval("typeof " + name) !== "undefined") found.push(name); } catch {}
  return [...new Set(found)];`;

/** Walks all that a script can reach and lists functions and objects that come from isolated-vm. */
const WALK = `const seen = new Set(), queue = [globalThis, ctx, weft, ctx.signal, new Error("x")], found = [];
  try { await ctx.http.get("no url"); } catch (error) { queue.push(error); }
  for (const value of queue) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
    seen.add(value);
    const text = typeof value === "function" ? Function.prototype.toString.call(value) : "";
    const name = String(Object.getOwnPropertyDescriptor(value, "constructor")?.value?.name ?? "");
    if (/^(Reference|ExternalCopy|Callback|Isolate|Context|Script|Socket|Host)$/.test(name) || /isolated|process\\.|require\\(/.test(text)) found.push(name || text);
    queue.push(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const { value: member, get, set } = Object.getOwnPropertyDescriptor(value, key);
      queue.push(member, get, set);
    }
  }
  return found;`;

const CALLERS = `const found = [];
  const look = (f) => { for (const name of ["caller", "arguments", "callee"]) try { if (f[name]) found.push(name); } catch {} };
  for (const f of [ctx.emit, ctx.log, ctx.write, ctx.sleep, ctx.http.get, ctx.chat.completions.create, weft.op, setTimeout, console.log, execute]) look(f);
  ctx.emit({ get type() { look(ctx.emit); try { found.push(arguments.callee.caller); } catch {} return "x"; }, content: 1 });
  ctx.log({ toJSON() { look(ctx.log); return 1; } });
  await { then(resolve) { look(resolve); resolve(1); } };
  return found;`;

const STACKS = `const text = [];
  const note = (f) => { try { f(); } catch (error) { text.push(String(error?.stack)); } };
  note(() => ctx.emit(1)); note(() => ctx.emit("x", 1n)); note(() => new URL("no")); note(() => ctx.http.get({ toString: null }));
  await ctx.http.get("no url").catch((error) => text.push(error.stack));
  await ctx.http.get("http://169.254.169.254/").catch((error) => text.push(error.stack));
  return text.join("\\n").match(/node_modules|isolated-vm|node:|file:|\\/home|\\/work|\\/root|\\.ts:/g) ?? [];`;

const CALLSITES = `const found = [];
  const before = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (_, sites) => {
      for (const site of sites) for (const name of ["getThis", "getFunction"]) {
        const value = site[name]?.();
        if (typeof value === "function" && /send|post|deliver/.test(value.name)) found.push(value.name);
      }
      return "";
    };
  } catch {}
  const read = () => new Error("x").stack;
  ctx.emit({ get type() { read(); return "x"; }, content: 1 });
  ctx.log({ toJSON() { read(); return 1; } });
  read();
  try { Error.prepareStackTrace = before; } catch {}
  return found;`;

const IMPORTS = `const refused = [];
  for (const name of ["fs", "node:fs", "child_process", "isolated-vm", "data:text/javascript,export default 1", "./main.ts"]) {
    await (0, eval)("import(" + JSON.stringify(name) + ")").then(() => refused.push("loaded " + name), () => refused.push(1));
  }
  return refused.length === 6 && refused.every((one) => one === 1);`;

/** Replaces everything that our side of the door might call, then uses the door. */
const POLLUTION = `const evil = () => { throw new Error("polluted"); };
  const kept = { keys: Reflect.ownKeys, define: Object.defineProperty, describe: Object.getOwnPropertyDescriptor };
  const sleep = ctx.sleep, emit = ctx.emit, log = ctx.log, get = ctx.http.get;
  const names = ["Map", "Set", "WeakMap", "Array", "String", "Promise", "RegExp", "JSON", "Reflect", "Object", "Function", "Error", "Uint8Array", "Symbol", "Math", "Date"];
  for (let n = 0; n < names.length * 2; n++) {
    const target = globalThis[names[n >> 1]];
    const holder = n % 2 === 0 ? target : target.prototype;
    {
      if (holder === undefined || holder === Function.prototype || holder === Promise || holder === Promise.prototype) continue;
      const keys = kept.keys(holder);
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i], old = kept.describe(holder, key);
        if (key === "constructor" || key === "prototype" || typeof old.value !== "function" || !old.configurable) continue;
        try { kept.define(holder, key, { value: evil, configurable: true, writable: true }); } catch {}
      }
    }
  }
  const doors = [() => emit("still", 1), () => log("still"), () => sleep(1), () => get("http://127.0.0.1:1/"), () => setTimeout(() => 1, 1)];
  for (let i = 0; i < doors.length; i++) try { await doors[i](); } catch {}
  return "still here";`;

const SETTERS = `const seen = [];
  for (const name of ["kind", "pos", "then", "type", "content", "code", "message", "details", "settle", "part", "0", "1", "execution", "limits", "closed", "run"]) {
    try { Object.defineProperty(Object.prototype, name, { configurable: true, get() { return undefined; }, set(value) { seen.push(name); } }); } catch {}
  }
  ctx.emit("x", 1); ctx.log("x"); await ctx.sleep(1);
  try { await ctx.http.get("no url"); } catch {}
  for (const name of Object.getOwnPropertyNames(Object.prototype)) if (["kind", "pos", "then", "type", "content", "code", "message", "details", "settle", "part", "0", "1", "execution", "limits", "closed", "run"].includes(name)) delete Object.prototype[name];
  return seen.filter((name) => ["settle", "execution", "limits", "closed", "run", "pos"].includes(name));`;

/** Forges posts through iterators that our side might use to take lists apart. */
const FORGERY = `const real = Array.prototype[Symbol.iterator];
  let stolen = 0;
  try {
    Array.prototype[Symbol.iterator] = function () {
      if (typeof this[0] === "number" && typeof this[3] === "string") { stolen++; return real.call([5, 0, "", "not json", ""]); }
      return real.call(this);
    };
  } catch {}
  ctx.emit("x", 1); ctx.log("x"); ctx.write("");
  await ctx.sleep(1);
  try { Array.prototype[Symbol.iterator] = real; } catch {}
  return stolen;`;

const PROXIES = `const touched = new Set();
  const proxy = () => new Proxy(function () {}, new Proxy({}, { get(_, trap) { touched.add(trap); return undefined; } }));
  const tries = [];
  const attempt = async (f) => { try { tries.push(typeof (await f())); } catch (error) { tries.push(error instanceof Error); } };
  for (const f of [ctx.chat.completions.create, ctx.http.request, ctx.http.get, ctx.http.post, ctx.workflow.completions.create, ctx.load_accessory, ctx.accessories.json,
    ctx.accessories.text, ctx.accessories.bytes, ctx.sleep, ctx.emit, ctx.write, weft.op]) { await attempt(() => f(proxy())); await attempt(() => f(proxy(), proxy())); }
  await attempt(() => ctx.log(proxy(), proxy()));
  await attempt(() => setTimeout(proxy(), proxy()));
  return tries.every((one) => one === true || one === "undefined" || one === "number") || tries;`;

const OPS = `const names = ["__proto__", "constructor", "toString", "process.exit", "chat", "http", "", "timer\\tx", "\\n", "x".repeat(1000), "sleep\\u0000", 7, null, {}];
  const codes = [];
  for (const name of names) await weft.op(name, {}).then(() => codes.push("ok"), (error) => codes.push(error.code));
  return [...new Set(codes)];`;

/** Ways out that lead nowhere, at every isolation level. */
export const ESCAPES: HostileScripts = {
  ...everywhere("looks for globals", GLOBALS, []),
  ...everywhere("walks everything it can reach", WALK, []),
  ...everywhere("asks functions for their callers", CALLERS, []),
  ...everywhere("reads stacks of our errors", STACKS, []),
  ...everywhere("asks call sites for functions", CALLSITES, []),
  ...everywhere("imports at run time", IMPORTS, true),
  ...everywhere("pollutes every intrinsic", POLLUTION, "still here"),
  ...everywhere("pollutes Object.prototype with setters", SETTERS, []),
  ...everywhere("forges posts through iterators", FORGERY, 0),
  ...everywhere("passes proxies to every ctx method", PROXIES, true),
};

/** Ops that do not exist, some with names that could break a frame. */
export const UNKNOWN_OPS: HostileScripts = {
  "calls ops that do not exist": { script: OPS, ends: ["ok"], output: ["CAPABILITY_DENIED"] },
};

/** Tags everything it can reach that can be tagged, and says where it found the tag of an earlier execution. */
export const TAGGER = `const stream = await ctx.chat.completions.create({ model: "echo", messages: [{ role: "user", content: "x" }], stream: true });
  const errors = [];
  for (const f of [() => ctx.emit(1), () => ctx.http.get("no url"), () => ctx.sleep("x"), () => ctx.workflow.completions.create({}), () => weft.op("no")]) {
    try { await f(); } catch (error) { errors.push(error); }
  }
  const seen = new Set(), found = [];
  const queue = Object.entries({ globalThis, ctx, weft, stream, errors, signal: ctx.signal, iterator: stream[Symbol.asyncIterator](), final: stream.final(),
    generator: (async function* () {})(), response: Response, url: new URL("http://x/"), headers: new Headers(), encoder: new TextEncoder(), controller: new AbortController(),
    callee: (function () { return arguments; })() });
  for (const [path, value] of queue) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Object.hasOwn(value, "tagged")) found.push(path);
    try { Object.defineProperty(value, "tagged", { value: 1, configurable: true }); } catch {}
    queue.push([path + ".__proto__", Object.getPrototypeOf(value)]);
    for (const key of Reflect.ownKeys(value)) {
      const { value: member, get, set } = Object.getOwnPropertyDescriptor(value, key);
      queue.push([path + "." + String(key), member], [path + ".get " + String(key), get], [path + ".set " + String(key), set]);
    }
  }
  return found;`;
