import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { call, type Json, type Send, sender, upload } from "../http/access/client.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { TAGGER } from "./scripts/escapes.ts";

let server: TestServer;
/** Two accounts whose executions share one host process. */
let first: Send;
let second: Send;

async function newAccount(name: string): Promise<Send> {
  const { status, data } = await sender(server, server.apiKey)("POST", "/api/v1/accounts", { name });
  expect(status).toBe(201);
  return sender(server, String((data["key"] as Json)["key"]));
}

beforeAll(async () => {
  const room = { WEFT_LIMIT_TURN_MS: "5000", WEFT_LIMIT_CPU_MS: "10000" };
  server = await startTestServer({ WEFT_HOST_PROFILE: "hardened", ...room });
  first = await newAccount("first");
  second = await newAccount("second");
});
afterAll(async () => {
  expect(server.reported).toEqual([]);
  await server.close();
});

/** Everything that could carry a word from one execution to the next: globals, intrinsics, registries, caches, and what is left running. */
const CHANNELS = `const word = ctx.input.word, seen = [], writes = [], looks = [];
  const look = (name, read) => { looks.push(() => glance(name, read)); glance(name, read); };
  const glance = (name, read) => { try { const value = read(); if (value !== undefined && value !== null && value !== false) seen.push(name + ": " + String(value)); } catch {} };
  const leave = (write) => writes.push(write);
  look("global", () => globalThis.left); leave(() => { globalThis.left = word; });
  look("eval", () => (0, eval)("typeof leftByEval === 'undefined' ? undefined : leftByEval")); leave(() => (0, eval)("var leftByEval = " + JSON.stringify(word)));
  look("function", () => new Function("return typeof leftByFunction === 'undefined' ? undefined : leftByFunction")()); leave(() => new Function("w", "globalThis.leftByFunction = w")(word));
  for (const [name, holder] of Object.entries({ object: Object.prototype, array: Array.prototype, push: Array.prototype.push, promise: Promise.prototype, error: Error, iterator: Object.getPrototypeOf([][Symbol.iterator]()), generator: Object.getPrototypeOf(function* () {}), async: Object.getPrototypeOf(async () => {}), math: Math, json: JSON, date: Date, regexp: RegExp, console, emit: ctx.emit, op: weft.op, errors: WorkflowError, signal: AbortSignal.prototype, encoder: TextEncoder.prototype, crypto }))
    { look(name, () => Object.hasOwn(holder, "left") && holder.left); leave(() => { holder.left = word; }); leave(() => Object.defineProperty(holder, "left", { value: word, configurable: true })); }
  look("symbol", () => globalThis[Symbol.for("left")]); leave(() => { globalThis[Symbol.for("left")] = word; });
  look("match", () => RegExp.$1 || RegExp.lastMatch || RegExp.input); leave(() => /(.*)/.exec(word));
  look("stack traces", () => Error.prepareStackTrace && "set"); leave(() => { Error.prepareStackTrace = () => word; });
  look("stack limit", () => Error.stackTraceLimit === 7 && "set"); leave(() => { Error.stackTraceLimit = 7; });
  look("module", () => kept); leave(() => { kept = word; });
  look("template", () => { const f = (s) => s; const s = f\`x\`; const { left } = s; s.left = word; return left; });
  look("locale", () => Intl.DateTimeFormat.left); leave(() => { Intl.DateTimeFormat.left = word; Intl.NumberFormat.prototype.left = word; });
  for (let i = 0; i < writes.length; i++) try { writes[i](); } catch {}
  const before = seen.length;
  for (let i = 0; i < looks.length; i++) looks[i]();
  const found = seen.splice(before).length;
  setInterval(() => { ctx.emit("late", word); globalThis.left = word; }, 1); Promise.reject(word).catch(() => 1);
  ctx.signal.addEventListener("abort", () => { globalThis.left = word; });
  return [seen, found > 20];`;

/** Kinds of objects that carry state although they are frozen. */
const CARRIERS = `const found = [], visited = new Set(), queue = [["globalThis", globalThis], ["ctx.emit", ctx.emit], ["ctx.log", ctx.log], ["ctx.http", ctx.http], ["ctx.chat", ctx.chat], ["ctx.files", ctx.files], ["ctx.datastore", ctx.datastore], ["weft", weft], ["generator", Object.getPrototypeOf(function* () {})], ["encoder", TextEncoder], ["signal", AbortSignal], ["error", WorkflowError]];
  const brands = { Map: (v) => Map.prototype.has.call(v), Set: (v) => Set.prototype.has.call(v), WeakMap: (v) => WeakMap.prototype.has.call(v, v), WeakSet: (v) => WeakSet.prototype.has.call(v, v), Date: (v) => Date.prototype.getTime.call(v), buffer: (v) => Reflect.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get.call(v), view: (v) => { if (!ArrayBuffer.isView(v)) throw 1; }, generator: (v) => { if (Object.prototype.toString.call(v) !== "[object Generator]" || typeof v.next !== "function" || Object.hasOwn(v, "next")) throw 1; } };
  for (const [path, value] of queue) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || visited.has(value)) continue;
    visited.add(value);
    for (const [name, brand] of Object.entries(brands)) try { brand(value); found.push(path + " is a " + name); } catch {}
    // A bundle's own globalThis is its execution's; what it inherits from is shared.
    if (path !== "globalThis" && !Object.isFrozen(value)) found.push(path + " is not frozen");
    queue.push([path + ".__proto__", Reflect.getPrototypeOf(value)]);
    for (const key of Reflect.ownKeys(value)) { const d = Reflect.getOwnPropertyDescriptor(value, key); queue.push([path + "." + String(key), d.value], [path + ".get " + String(key), d.get], [path + ".set " + String(key), d.set]); }
  }
  return visited.size > 500 ? found : ["only " + visited.size];`;

const file = (level: string, body: string) =>
  `let kept: any = null;\nexport const config = { isolation: "${level}" };\nexport async function execute(ctx: any) {\n${body}\n}`;

/** What {@link CHANNELS} answers: nothing of others, and at levels that let a script write, that it finds its own word. */
const nothingAt = (level: string) => [[], level !== "frozen"];

async function outputOf(send: Send, ref: string, word: string): Promise<unknown> {
  const { status, body } = await call(send, ref, { input: { word } });
  return status === 200 ? body["output"] : body;
}

describe.each(["frozen", "context", "isolate"])("two accounts with the same script at level %s", (level) => {
  test("leave each other nothing by any channel, nor do executions of one", async () => {
    for (const send of [first, second])
      expect((await upload(send, `channels-${level}`, file(level, CHANNELS))).status).toBe(200);
    for (const [i, send] of [first, second, first, second, second, first].entries()) {
      expect(await outputOf(send, `channels-${level}`, `word-${i}`)).toEqual(nothingAt(level));
    }
    const together = await Promise.all(
      Array.from({ length: 8 }, (_, i) => outputOf(i % 2 === 0 ? first : second, `channels-${level}`, `both-${i}`)),
    );
    expect(together).toEqual(Array.from({ length: 8 }, () => nothingAt(level)));
    expect(server.stats().hosts.filter(({ profile }) => profile === "hardened")).toHaveLength(1);
  });

  test("find no tag of each other on anything that can be reached", async () => {
    for (const send of [first, second]) await upload(send, `tagger-${level}`, file(level, TAGGER));
    for (const send of [first, second, first]) expect(await outputOf(send, `tagger-${level}`, "")).toEqual([]);
  });

  test("cannot tamper with the next version of a workflow", async () => {
    const poison = `for (const target of [Object, Array, Promise, JSON, Map, Function, RegExp, String]) for (const holder of [target, target.prototype ?? {}]) for (const key of Reflect.ownKeys(holder)) try { if (typeof holder[key] === "function" && key !== "constructor" && holder !== Function.prototype && holder !== Promise.prototype) Object.defineProperty(holder, key, { value: () => "poisoned", configurable: true }); } catch {}
      return null;`;
    await upload(first, `versions-${level}`, file(level, poison));
    await call(first, `versions-${level}`);
    await upload(first, `versions-${level}`, file(level, CHANNELS));
    expect(await outputOf(first, `versions-${level}`, "v2")).toEqual(nothingAt(level));
    await upload(second, `versions-${level}`, file(level, CHANNELS));
    expect(await outputOf(second, `versions-${level}`, "v1")).toEqual(nothingAt(level));
  });
});

test("in a frozen realm nothing that executions share has a mutable inside", async () => {
  await upload(first, "carriers", file("frozen", CARRIERS));
  expect(await outputOf(first, "carriers", "")).toEqual([]);
});
