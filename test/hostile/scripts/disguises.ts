import type { HostileScripts } from "../../support/hostile.ts";
import { everywhere } from "./everywhere.ts";

/** Values that are another thing each time somebody looks: a check must not see one and the door another. */
const LIARS = `let looks = 0;
  const liar = (first, then) => ({ [Symbol.toPrimitive]: () => (looks++ === 0 ? first : then), toString: () => (looks++ === 0 ? first : then), valueOf: () => (looks++ === 0 ? first : then), toJSON: () => (looks++ === 0 ? first : then), get length() { return looks++ === 0 ? 1 : 2 ** 31; } });
  const out = [];
  const attempt = async (f) => { looks = 0; try { out.push(typeof (await f())); } catch (error) { out.push(error instanceof Error ? 1 : "odd"); } };
  const big = "x".repeat(2e6);
  await attempt(() => ctx.emit(liar("x", big), 1)); await attempt(() => ctx.emit("x", liar("x", big))); await attempt(() => ctx.log(liar("x", big), liar({}, big))); await attempt(() => ctx.write(liar("", big)));
  await attempt(() => ctx.sleep(liar(1, 1e12))); await attempt(() => ctx.http.get(liar("no url", "http://169.254.169.254/"))); await attempt(() => ctx.http.post("http://127.0.0.1:9/", { body: liar("x", big), headers: liar({}, big), timeout: liar(1, Infinity) }));
  await attempt(() => weft.op(liar("no", "sleep\\t1\\n"), liar({}, big))); await attempt(() => setTimeout(() => 1, liar(1, -1))); await attempt(() => clearTimeout(liar(1, 2))); await attempt(() => ctx.load_accessory(liar("a", "../../b")));
  await attempt(() => crypto.getRandomValues(liar(1, 2))); await attempt(() => new TextDecoder(liar("utf-8", "x")).decode(liar("x", "y"))); await attempt(() => atob(liar("eA==", big))); await attempt(() => structuredClone(liar(1, 2)));
  return out.includes("odd");`;

/** Well-known symbols on every value that our side takes apart. */
const WELL_KNOWN = `const called = [], evil = (name) => function (...args) { called.push([name, args.map((arg) => typeof arg === "object" && arg !== null ? Object.keys(arg) : typeof arg)]); throw new RangeError(name); };
  const disguise = (base) => { for (const name of ["toPrimitive", "iterator", "asyncIterator", "hasInstance", "isConcatSpreadable", "match", "matchAll", "replace", "search", "split", "species", "unscopables", "dispose", "asyncDispose"]) try { Object.defineProperty(base, Symbol[name], { configurable: true, get() { called.push(name); return evil(name); } }); } catch {} return base; };
  const bases = [() => ({ a: 1 }), () => [1], () => "x", () => () => 1, () => new Map([[1, 2]]), () => new Uint8Array(4), () => new Date(0), () => /x/g, () => new Error("x"), () => Promise.resolve(1), () => Object.create(null), () => new Proxy({}, {})];
  let odd = 0;
  for (const make of bases) {
    const value = typeof make() === "string" ? make() : disguise(make());
    for (const f of [() => ctx.emit("x", value), () => ctx.emit(value, 1), () => ctx.log(value, value), () => ctx.http.get(value), () => ctx.http.post("http://127.0.0.1:9/", { body: value, headers: value, json: value }), () => ctx.sleep(value), () => weft.op("no", value), () => setTimeout(() => 1, value),
      () => structuredClone(value), () => new TextEncoder().encode(value), () => new TextDecoder().decode(value), () => atob(value), () => crypto.getRandomValues(value), () => ctx.chat.completions.create({ messages: value, model: value }), () => ctx.workflow.completions.create(value), () => new Event(value, value)]) try { await f(); } catch (error) { if (!(error instanceof Error) && typeof error !== "string") odd++; }
  }
  const internal = JSON.stringify(called).match(/nextPos|pending|maxArgBytes|settle/g);
  return [odd, internal];`;

/** Objects that claim to be of a class whose insides our side might touch. */
const TAGS = `const odd = [];
  for (const tag of ["Uint8Array", "ArrayBuffer", "Promise", "Map", "Error", "Date", "AbortSignal", "Response", "Headers", "Module", "Reference", "ExternalCopy"]) {
    const type = globalThis[tag];
    const fakes = [{ [Symbol.toStringTag]: tag, byteLength: 2 ** 40, length: 2 ** 40, buffer: null, aborted: false, addEventListener: 1 }, type === undefined ? {} : Object.create(type.prototype), type === undefined ? {} : Object.setPrototypeOf(() => 1, type.prototype)];
    for (const fake of fakes) for (const f of [() => ctx.http.post("http://127.0.0.1:9/", { body: fake, signal: fake, headers: fake }), () => ctx.emit("x", fake), () => ctx.log(fake), () => structuredClone(fake), () => new TextDecoder().decode(fake), () => crypto.getRandomValues(fake), () => AbortSignal.any([fake]), () => weft.op("no", fake), () => new Response(fake)])
      try { await f(); } catch (error) { if (!(error instanceof Error) && error?.constructor?.name !== "DOMException") odd.push(tag); }
  }
  return odd;`;

/** \`instanceof\` that lies, about errors the door must describe. */
const INSTANCES = `for (const type of [Error, TypeError, WorkflowError, Promise, Map, Uint8Array, Date]) try { Object.defineProperty(type, Symbol.hasInstance, { value: () => { throw type; }, configurable: true }); } catch {}
  let caught = 0;
  for (const f of [() => ctx.emit(1), () => ctx.http.get("no url"), () => weft.op("no"), () => ctx.sleep("x"), () => structuredClone(() => 1), () => structuredClone({ a: new Map([[1, new Date(0)]]) }), () => new TextDecoder().decode(new Uint8Array(2))]) try { await f(); } catch { caught++; }
  return caught >= 4;`;

/** Thenables wherever somebody may await: they get resolving functions, never more. */
const THENABLES = `const got = [], thenable = (n = 0) => ({ then(...args) { got.push(args.length, ...args.map((arg) => typeof arg)); if (n < 20) args[0]?.(thenable(n + 1)); else args[0]?.(1); args[0]?.(2); args[1]?.(3); throw 4; } });
  const calls = [() => ctx.emit("x", thenable()), () => ctx.log(thenable()), () => ctx.http.get(thenable()), () => ctx.sleep(thenable()), () => weft.op("no", thenable()), () => ctx.chat.completions.create(thenable()), () => structuredClone(thenable())];
  for (const f of calls) try { await f(); } catch {}
  try { Object.defineProperty(Object.prototype, "then", { configurable: true, get() { if (["settle", "nextPos", "limits"].some((name) => Object.hasOwn(this, name))) got.push("internal"); return undefined; } }); } catch {}
  for (const f of calls) try { await f(); } catch {}
  await ctx.sleep(1);
  try { delete Object.prototype.then; } catch {}
  await thenable();
  return [...new Set(got)].sort();`;

/** Species of arrays, typed arrays, buffers and expressions that hand out what the caller is still working on. */
const SPECIES = `const self = [], odd = [];
  const holder = { [Symbol.species]: function () { return self; } };
  for (const make of [() => ctx.messages, () => [1, 2, 3], () => ctx.accessories.list?.() ?? [], () => Object.keys(ctx), () => "a,b".split(","), () => structuredClone([1, [2]])]) {
    let list; try { list = await make(); } catch { continue; }
    if (!Array.isArray(list)) continue;
    try { list.constructor = holder; } catch {}
    for (const f of [(a) => a.map((x) => x), (a) => a.filter(() => true), (a) => a.slice(), (a) => a.splice(0, 1), (a) => a.concat([9]), (a) => a.flat(), (a) => a.flatMap((x) => [x])]) try { f(list); } catch {}
  }
  for (const one of self) if (typeof one === "function" || (typeof one === "object" && one !== null && ["settle", "limits"].some((name) => name in one))) odd.push(typeof one);
  for (const [make, use] of [[() => new Uint8Array(8), (a) => a.slice(1)], [() => new Uint8Array(8).buffer, (b) => b.slice(1)], [() => new Uint8Array(8), (a) => a.map((x) => x)], [() => new Uint8Array(8), (a) => a.subarray(2)]]) for (const made of [() => new Uint8Array(1), () => new Float64Array(1), () => ({}), () => new ArrayBuffer(1)]) { const value = make(); try { Object.defineProperty(value, "constructor", { value: { [Symbol.species]: made } }); use(value); } catch {} }
  const x = /a/y; Object.defineProperty(x, "constructor", { value: { [Symbol.species]: function () { return { exec: () => null, lastIndex: 0, flags: "" }; } } });
  try { "aaa".split(x); } catch {}
  return odd;`;

/** ctx as prototype, target, receiver, constructor and iterable. */
const MISUSES = `const odd = [];
  const heir = Object.create(ctx), proxy = new Proxy(ctx, {}), names = Reflect.ownKeys(ctx);
  for (const name of names) for (const receiver of [heir, proxy, null, undefined, 1, globalThis, weft]) try { const value = Reflect.get(ctx, name, receiver ?? {}); if (/^(post|deliver|send)$/.test(value?.name)) odd.push(name); } catch {}
  const functions = [ctx.emit, ctx.log, ctx.write, ctx.sleep, ctx.http.get, ctx.chat.completions.create, weft.op, ctx.remaining_ms, setTimeout, structuredClone, console.log, ctx.log.info].filter((f) => typeof f === "function");
  for (const f of functions) for (const use of [() => new f(), () => Reflect.construct(f, []), () => class extends f {}, () => Reflect.construct(Object, [], f), () => f.call(null), () => f.apply(globalThis, { length: 3 }), () => f.bind(ctx)(), () => f.call(new Proxy(ctx, {}), Symbol())]) try { const made = use(); made?.catch?.(() => 1); for (const at of [made, made?.prototype]) if (at && ["settle", "nextPos", "limits"].some((name) => name in at)) odd.push(f.name); } catch {}
  for (const change of [() => { ctx.emit = 1; }, () => { delete ctx.http; }, () => Object.defineProperty(ctx, "secrets", { value: 1 }), () => Object.setPrototypeOf(ctx, { evil: 1 }), () => { ctx.secrets.x = 1; }, () => { ctx.env.x = 1; }, () => { weft.op = 1; }]) try { change(); odd.push(String(change)); } catch {}
  return odd;`;

/** Values that are not what they seem, at every isolation level. */
export const DISGUISES: HostileScripts = {
  ...everywhere("gives values that change between looks", LIARS, false),
  ...everywhere("defines well-known symbols on every argument", WELL_KNOWN, [0, null]),
  ...everywhere("tags objects as what they are not", TAGS, []),
  ...everywhere("lies about instances", INSTANCES, true),
  ...everywhere("gives thenables", THENABLES, [2, "function"]),
  ...everywhere("steals through species", SPECIES, []),
  ...everywhere("misuses ctx", MISUSES, []),
};
