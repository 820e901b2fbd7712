import type { HostileScripts } from "../../support/hostile.ts";
import { everywhere } from "./everywhere.ts";

/**
 * `look(value, where)` notes values of another realm: their Function is not ours, or makes code that sees Node. Errors,
 * rejections and results of every technique below go through it.
 */
export const LOOK = `const found = [];
  const SAFE = "undefined undefined undefined undefined";
  const look = (value, where) => {
    for (let at = value, n = 0; at !== null && (typeof at === "object" || typeof at === "function") && n < 8; n++) {
      let made;
      try { made = at.constructor?.constructor; at = Reflect.getPrototypeOf(at); } catch { return; }
      if (typeof made !== "function") continue;
      if (made !== Function) found.push(where + ": a foreign Function");
      else if (made("return [typeof process, typeof require, typeof weftBoot, typeof ivm].join(' ')")() !== SAFE) found.push(where);
    }
  };
  const attempt = (where, f) => { try { look(f(), where); } catch (error) { look(error, where); } };
  const attemptLater = async (where, f) => { try { look(await f(), where); } catch (error) { look(error, where); } };\n`;

/** vm2: an error whose name is a symbol makes V8 throw while it formats the stack, on the side that formats. */
const SYMBOL_NAMES = `${LOOK}
  const bad = () => { const e = new Error("x"); e.name = Symbol("n"); return e; };
  const worse = () => { const e = new Error("x"); e.name = { [Symbol.toPrimitive]: () => Symbol() }; e.message = Object.create(null); return e; };
  for (const make of [bad, worse]) {
    attempt("stack", () => make().stack);
    attempt("text", () => String(make()));
    attempt("capture", () => { const e = make(); Error.captureStackTrace(e); return e.stack; });
    await attemptLater("async", async () => make().stack);
    await attemptLater("catch", () => new Promise((_, reject) => { reject(make()); }).catch((error) => error.stack));
    await attemptLater("fromAsync", () => Array.fromAsync([1], async () => { throw make(); }));
    await attemptLater("try", () => Promise.try(() => make().stack));
    attempt("log", () => ctx.log(make()));
    attempt("emit", () => ctx.emit("x", make()));
    await attemptLater("ctx", () => ctx.http.get(make()));
  }
  return found;`;

/** vm2: the error of a stack that is full comes from the side whose call was the last. */
const FULL_STACKS = `${LOOK}
  const calls = { emit: () => ctx.emit("x", 1), log: () => ctx.log("x"), get: () => ctx.http.get("no url"), sleep: () => ctx.sleep("x"), op: () => weft.op("no"),
    url: () => new URL("no"), timer: () => setTimeout(1), signal: () => ctx.signal, coder: () => new TextEncoder().encode("x"), clone: () => structuredClone({ a: 1 }), uuid: () => crypto.randomUUID() };
  for (const [name, call] of Object.entries(calls)) {
    let errors = 0;
    const deep = () => { try { deep(); } catch (error) { look(error, name); } if (errors++ < 20) try { look(call(), name)?.catch?.(() => 1); } catch (error) { look(error, name); } };
    deep();
  }
  await ctx.sleep(1);
  return found;`;

/** vm2: \`Promise\` species and constructors get resolving functions, and through them what the other side settles with. */
const PROMISE_SPECIES = `${LOOK}
  const promises = [() => ctx.sleep(1), () => ctx.http.get("no url"), () => weft.op("no"), () => (async () => {})(), () => Array.fromAsync([1]), () => Promise.try(() => 1)];
  class Thief { constructor(executor) { executor((value) => look(value, "value"), (error) => look(error, "error")); } static [Symbol.species] = Thief; then() {} }
  for (const make of promises) {
    for (const steal of [Thief, { [Symbol.species]: Thief }, function () { throw look(this, "this"); }, new Proxy(Promise, { construct(_, args) { look(args[0], "executor"); return Reflect.construct(Promise, args); } })]) {
      const promise = make();
      look(promise, "promise");
      promise.catch(() => 1);
      try { promise.constructor = steal; } catch {}
      for (const use of ["then", "catch", "finally"]) try { promise[use]((value) => look(value, use), (error) => look(error, use))?.then?.(() => 1, () => 1); } catch (error) { look(error, use); }
      try { await promise; } catch (error) { look(error, "await"); }
    }
  }
  try { Object.defineProperty(Promise, Symbol.species, { get() { return Thief; }, configurable: true }); } catch {}
  await attemptLater("species of all", () => ctx.sleep(1));
  return found;`;

/** vm2: \`using\`, SuppressedError, AggregateError and \`cause\` carry errors past whoever cleans them in a catch. */
const NESTED_ERRORS = `${LOOK}
  const deep = (error, n = 0) => { look(error, "nested"); if (n < 5 && error !== null && typeof error === "object") for (const key of ["error", "suppressed", "cause", "errors", "stack"]) { let part; try { part = error[key]; } catch (e) { part = e; } for (const one of Array.isArray(part) ? part : [part]) if (typeof one === "object") deep(one, n + 1); } };
  const named = () => { const e = new Error("x"); e.name = Symbol(); return e; };
  const runs = [
    "using a = { [Symbol.dispose]() { throw f.named(); } }; f.named().stack;",
    "using a = { [Symbol.dispose]() { f.ctx.emit(1); } }; f.ctx.emit(2);",
    "const s = new DisposableStack(); s.defer(() => f.ctx.emit(1)); s.defer(() => f.ctx.log({ toJSON() { throw 1; } })); s.dispose();",
    "throw new SuppressedError(f.named(), f.ctx, 'm');",
    "throw new AggregateError([f.named(), f.ctx.sleep], 'm', { cause: f.named() });",
  ];
  for (const run of runs) try { new Function("f", run)({ named, ctx }); } catch (error) { deep(error); }
  for (const make of [() => Promise.any([ctx.http.get("no url"), weft.op("no")]), () => Promise.allSettled([ctx.http.get("no url"), ctx.sleep("x")]),
    () => new (async () => {}).constructor("f", "await using a = { [Symbol.asyncDispose]() { return f.http.get('no url'); } }; await f.sleep('x');")(ctx)]) try { look(await make(), "settled"); } catch (error) { deep(error); }
  return found;`;

/** vm2 (2026): a \`yield*\` in an async generator awaits what \`return\` gives it, and catches what its \`then\` throws. */
const GENERATORS = `${LOOK}
  const thenables = [() => ({ get then() { const e = new Error(); e.name = Symbol(); return e.stack; } }), () => ({ then(f, r) { look(f, "resolve"); look(r, "reject"); ctx.emit(1); } }), () => ctx.http.get("no url")];
  for (const make of thenables) {
    const inner = { [Symbol.asyncIterator]() { return this; }, next: () => ({ value: make(), done: false }), return: () => make(), throw: () => make() };
    const run = async function* () { try { yield* inner; } catch (error) { look(error, "yield*"); } finally { try { await make(); } catch (error) { look(error, "finally"); } } };
    for (const use of ["next", "return", "throw"]) { const it = run(); await attemptLater(use, () => it.next()); await attemptLater(use, () => it[use](make())); }
    await attemptLater("for await", async () => { for await (const one of (async function* () { yield make(); })()) look(one, "one"); });
  }
  const stream = await ctx.chat.completions.create({ model: "echo", messages: [{ role: "user", content: "x" }], stream: true });
  const iterator = stream[Symbol.asyncIterator]();
  look(iterator, "iterator");
  for (const use of ["next", "return", "throw"]) if (iterator[use]) await attemptLater("stream " + use, () => iterator[use](thenables[0]()));
  return found;`;

/** vm2: the frames that \`prepareStackTrace\` gets, also when it is put on another \`Error\` that V8 is made to look at. */
const STACK_TRACES = `${LOOK}
  const OurError = Error;
  const seen = [];
  const sites = (error, list) => {
    look(list, "list");
    for (const site of list ?? []) for (const name of Object.getOwnPropertyNames(Reflect.getPrototypeOf(site))) {
      let value;
      try { value = site[name](); } catch (e) { value = e; }
      look(value, name);
      if (typeof value === "string" && !["toString", "getFunctionName", "getMethodName", "getTypeName"].includes(name)) seen.push(value);
    }
    return "";
  };
  const fake = function Error() {}; fake.prepareStackTrace = sites; fake.stackTraceLimit = 100;
  const set = (target, name, value) => { try { target[name] = value; return true; } catch { return false; } };
  for (const put of [() => set(OurError, "prepareStackTrace", sites), () => set(globalThis, "Error", fake), () => set(OurError.prototype, "constructor", fake), () => set(Object.prototype, "prepareStackTrace", sites), () => set(OurError, "stackTraceLimit", Infinity)]) {
    put();
    for (const call of [() => new OurError("x").stack, () => { const o = {}; OurError.captureStackTrace(o); return o.stack; }, () => ctx.emit({ get type() { return new OurError().stack; } }), () => ctx.log({ toJSON: () => new OurError().stack })]) attempt("sync", call);
    await attemptLater("async", () => ctx.http.get("no url"));
    await attemptLater("then", () => ctx.sleep(1).then(() => { throw new OurError("x").stack; }));
    await new Promise((done) => setTimeout(() => { attempt("timer", () => new OurError("x").stack); done(); }, 1));
  }
  for (const name of ["prepareStackTrace"]) try { delete OurError[name]; delete Object.prototype[name]; } catch {}
  try { globalThis.Error = OurError; } catch {}
  for (const text of seen) if (/node_modules|isolated-vm|node:|file:|^\\/|\\.ts$/.test(text) && text !== "workflow.ts") found.push(text);
  return [...new Set(found)];`;

/** vm2, SES: symbols that Node looks for on the values of others, and every symbol that can be found. */
const NODE_SYMBOLS = `${LOOK}
  const names = ["nodejs.util.inspect.custom", "nodejs.util.promisify.custom", "nodejs.rejection", "nodejs.dispose", "nodejs.asyncDispose", "nodejs.webstream.kObjectState", "nodejs.vm.dynamic_import_main_context_default", "node:messaging_deserialize_symbol"];
  const trap = Object.fromEntries([["a", 1]]);
  for (const name of names) Object.defineProperty(trap, Symbol.for(name), { enumerable: true, value: (...args) => { found.push(name); for (const arg of args) look(arg, name); return "x"; } });
  const fn = Object.assign(() => 1, trap);
  ctx.log(trap); ctx.log("x", trap); console.log(trap, fn); ctx.emit("x", trap);
  for (const f of [() => ctx.http.get(trap), () => ctx.http.post("http://127.0.0.1:9/", { json: trap, headers: trap, signal: trap }), () => ctx.sleep(trap), () => weft.op("no", trap), () => ctx.chat.completions.create(trap)]) await attemptLater("call", f);
  setTimeout(fn, trap); Promise.reject(trap).catch(() => 1); Promise.reject(Object.assign(new Error("x"), trap));
  await ctx.sleep(5);
  for (const root of [globalThis, ctx, weft, Promise, Error.prototype, ctx.http, Function.prototype]) for (const symbol of Object.getOwnPropertySymbols(root)) if (Symbol.keyFor(symbol) !== undefined || /node|ivm|weft|inspect/i.test(symbol.description)) found.push(String(symbol));
  return found;`;

/** realms-shim: the scope of \`with\`, unscopables, and code hidden from whoever only reads text. */
const HIDDEN_CODE = `${LOOK}
  const texts = ["with (o) { return Function('return this')(); }", "with (new Proxy({}, { has: () => true, get: (_, k) => k === Symbol.unscopables ? undefined : o[k] })) { return a; }", "return (0, eval)('this');",
    "return (function () { return this; })();", "return (class { static m() { return super.constructor; } }).m();", "<!-- comment\\nreturn eval('this');", "return new.target;", "return arguments.callee.caller;", "return [...'x'].constructor.constructor('return this')();",
    "return Reflect.construct(Function, ['return this'], o.emit)();", "return Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').get.call(o.emit).constructor('return this')();", "return eval.call(o, 'this');", "return o.emit.__proto__.__proto__.constructor.constructor('return this')();",
    "return Object.getPrototypeOf(function* () {}).constructor('yield this')().next().value;", "return Reflect.apply(o.emit.bind, o.http.get, [null]).constructor('return globalThis')();", "return o.__lookupGetter__('signal').constructor('return this')();", "'use strict'; return delete Object.prototype;"];
  const o = { emit: ctx.emit, http: ctx.http, a: 1, __lookupGetter__: (name) => Object.getOwnPropertyDescriptor(ctx, name).get };
  const NAMES = ["process", "require", "module", "Buffer", "global", "ivm", "weftBoot", "WebAssembly", "SharedArrayBuffer"];
  for (const text of texts) {
    let got;
    try { got = new Function("o", text)(o); } catch (error) { got = error; }
    look(got, text);
    if (got !== null && (typeof got === "object" || typeof got === "function")) for (const name of NAMES) if (name in got) found.push(text + " has " + name);
  }
  const brackets = ["}, function () {", "*/) { return globalThis }; /*", "a = eval('this')", "...a, b", "{ constructor: c } = []"];
  for (const type of [Function, (async () => {}).constructor, (function* () {}).constructor, (async function* () {}).constructor]) for (const bracket of brackets) for (const body of ["", "return this", "/*", "}) (function () {"]) attempt(bracket, () => type(bracket, body));
  return found;`;

/** SES, vm2, Node: modules by every form of \`import\`, also in spreads, templates and comments. */
const IMPORT_FORMS = `const loaded = [];
  const forms = ["import('fs')", "import('node:fs', { with: { type: 'json' } })", "({ ...import('fs') }, import('fs'))", "[...[import('process')]][0]", "\`\${''}\` + '', import('child_process')", "import/**/('fs')", "import\\n('fs')",
    "<!-- x\\nimport('fs')", "eval('import(\\"fs\\")')", "new Function('return import(\\"fs\\")')()", "(async () => { for await (const x of [import('fs')]) return x; })()", "import('data:text/javascript,export default process')", "import('file:///etc/passwd')", "import('weft:prelude')",
    "import({ toString() { return 'fs'; } })", "import(Symbol())", "import('x'.repeat(1e6))", "import.meta", "import.meta.url", "import.source('x')", "import.defer('fs')", "require('fs')", "module.require('fs')", "process.binding('fs')", "process.getBuiltinModule('fs')"];
  for (const form of forms) try { const value = await (0, eval)(form); loaded.push([form, typeof value]); } catch (error) { if (/node_modules|node:internal|isolated/.test(String(error?.stack))) loaded.push([form, error.stack]); }
  return loaded;`;

/** vm2: indices and members that a list or a record of the other side might get are caught by setters of the prototypes. */
const CAUGHT_MEMBERS = `const seen = new Set(), NAMES = ["get", "set", "value", "done", "next", "then", "resolve", "reject", "promise", "run", "ops", "pending", "settle", "part", "site", "stack", "details", "callback", "listener", "once"];
  const note = (value) => { if (value !== null && (typeof value === "object" || typeof value === "function")) seen.add(value); };
  const traps = [];
  for (let i = 0; i < 40; i++) traps.push([Array.prototype, String(i)], [Object.prototype, String(i)]);
  for (const name of NAMES) traps.push([Object.prototype, name]);
  for (const [target, name] of traps) try { Object.defineProperty(target, name, { __proto__: null, configurable: true, get() { note(this); return undefined; }, set(value) { note(value); Object.defineProperty(this, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true }); } }); } catch {}
  const calls = [() => ctx.emit("x", 1), () => ctx.log("x", { a: 1 }), () => ctx.write(""), () => ctx.sleep(1), () => ctx.http.get("no url"), () => weft.op("no"), () => setTimeout(() => 1, 1), () => ctx.signal.addEventListener("abort", () => 1),
    () => new AbortController().abort(), () => structuredClone({ a: [1] }), () => new TextEncoder().encode("x"), () => btoa("x"), () => crypto.randomUUID(), () => console.log("x"), () => new EventTarget().dispatchEvent(new Event("x"))];
  for (let i = 0; i < calls.length; i++) try { await calls[i](); } catch {}
  for (let i = 0; i < traps.length; i++) try { delete traps[i][0][traps[i][1]]; } catch {}
  const secret = (value) => { try { return ["nextPos", "seed", "limits", "settle", "maxArgBytes"].some((name) => Object.hasOwn(value, name)) || /^(post|deliver|boot|send)$/.test(value.name) || /native code.*(Callback|Reference)/.test(Function.prototype.toString.call(value)); } catch { return false; } };
  return [...seen].filter(secret).length;`;

/** vm2: a prototype that is a proxy sees the property names and receivers that whoever reads members looks for. */
const TRAPPED_PROTOTYPES = `const seen = new Set();
  const handler = new Proxy({}, { get: (_, trap) => (...args) => { if (trap === "get" || trap === "has" || trap === "set") seen.add(String(args[1])); return Reflect[trap](...args); } });
  for (const target of [Object, Array, Function, Promise, Error, Map, String, RegExp, Uint8Array]) try { Reflect.setPrototypeOf(target.prototype, new Proxy(Reflect.getPrototypeOf(target.prototype) ?? Object.create(null), handler)); } catch {}
  const calls = [() => ctx.emit("x", 1), () => ctx.log("x", { a: 1 }), () => ctx.sleep(1), () => ctx.http.get("no url"), () => weft.op("no"), () => setTimeout(() => 1, 1), () => ctx.signal, () => ctx.remaining_ms()];
  for (let i = 0; i < calls.length; i++) try { await calls[i](); } catch {}
  return ["nextPos", "seed", "post", "deliver", "process", "weftBoot", "maxArgBytes"].filter((name) => seen.has(name));`;

/** Escapes that were published against vm2, SES, realms-shim and Node's vm, as they would look here. */
export const PUBLISHED: HostileScripts = {
  ...everywhere("names errors by symbols", SYMBOL_NAMES, []),
  ...everywhere("calls out of a full stack", FULL_STACKS, []),
  ...everywhere("steals through promise species", PROMISE_SPECIES, []),
  ...everywhere("hides errors in errors", NESTED_ERRORS, []),
  ...everywhere("catches in yield*", GENERATORS, []),
  ...everywhere("reads call sites by every Error", STACK_TRACES, []),
  ...everywhere("offers what Node's symbols call", NODE_SYMBOLS, []),
  ...everywhere("hides code in scopes and comments", HIDDEN_CODE, []),
  ...everywhere("imports in every form", IMPORT_FORMS, []),
  ...everywhere("catches members with setters", CAUGHT_MEMBERS, 0),
  ...everywhere("puts proxies behind prototypes", TRAPPED_PROTOTYPES, []),
};
