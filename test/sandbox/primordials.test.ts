import { createContext, Script } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GuestHost, startGuestHost } from "../support/guest.ts";
import { POISON } from "./poison.ts";

let host: GuestHost;
beforeAll(async () => {
  host = await startGuestHost();
});
afterAll(() => host.close());

/** What services answer, so that the guest goes on with it. */
const ANSWERS: Readonly<Record<string, string>> = {
  "http.request": '{"status":500,"url":"http://x/","headers":{},"body":"eA==","encoding":"base64"}',
  "datastore.get": '["a"]',
  "datastore.query": '{"rows":[]}',
  "datastore.scan": '{"records":[1],"after":null}',
  "accessories.read": '{"data":"eyJhIjoxfQ==","next":null,"bytes":7}',
  "files.read": '{"data":"e30=","next":null,"bytes":2}',
  "files.piece": '"p"',
  "approve.request": '{"id":"a"}',
};

/** Calls everything that ctx and the prelude's globals have, with what it expects and with what it does not. */
const USES = `
  const ops = () => new WorkflowError("x", { code: "A", status: 400, details: { a: 1 } });
  const bytes = new Uint8Array([120, 255]), view = new DataView(bytes.buffer), date = new Date(0), map = new Map([[1, { a: [1] }]]), set = new Set([1]), pattern = /x/g, error = new TypeError("x"), floats = new Float64Array(2);
  const given = [[], [undefined], [null], [1], [-1], ["x"], ["x", {}], ["1ms"], ["x".repeat(300000)], [{}], [{ type: "x", content: 1 }], [{ stream: true }], [[1]], [bytes], [view], [1n], [error], [() => 1], [Symbol()], ["x", view, {}], ["x", { as: "bytes" }], ["x", { as: "json" }], ["x", { as: "x" }], ["x", { offset: -1, as: "bytes" }], ["x", { timeout: "5m" }], ["x", { timeout: "soon" }], [{ timeout: 1, question: "x" }], ["x", "y", { mode: "vector", query: "x" }], ["x", ["a"]], ["http://x/", { body: bytes }], ["http://x/", { body: view }]];
  const functions = [], found = new Set();
  const walk = (value, path) => { if ((typeof value !== "object" && typeof value !== "function") || value === null || found.has(value) || value === globalThis) return; found.add(value); if (typeof value === "function") functions.push([path, value]); for (const key of Reflect.ownKeys(value)) { const d = Reflect.getOwnPropertyDescriptor(value, key); if ("value" in d && key !== "constructor" && key !== "prototype") walk(d.value, path + "." + String(key)); } };
  walk(ctx, "ctx"); walk(weft.op, "weft.op"); walk(weft.now, "weft.now");
  for (const name of ["console", "setTimeout", "setInterval", "clearTimeout", "queueMicrotask", "structuredClone", "atob", "btoa", "crypto"]) walk(globalThis[name], name);
  const more = [() => ctx.files.write("x", bytes), () => ctx.files.write("x", bytes.buffer), () => ctx.files.write("x", { a: 1 }), () => ctx.signal.addEventListener("abort", () => 1), () => ctx.signal.throwIfAborted(), () => ctx.params.stream, () => ctx.session_id,
    () => { for (const one of [map, set, date, pattern, error, bytes, view, floats, [1, [2]], { a: { b: 1 } }, bytes.buffer, new BigInt64Array(1)]) structuredClone(one); }, () => structuredClone(() => 1), () => structuredClone(Promise.resolve()), () => structuredClone(Symbol()),
    () => new TextEncoder().encode("x\\u20ac\\ud83d\\ude00\\ud800"), () => new TextEncoder().encodeInto("x", bytes), () => new TextDecoder(" UTF-8 ", { fatal: true }).decode(bytes), () => new TextDecoder("latin1"), () => { const d = new TextDecoder(); d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }); d.decode(view); },
    () => { const c = new AbortController(), f = () => 1; c.signal.addEventListener("abort", f, { once: true }); c.signal.addEventListener("abort", { handleEvent: f }); c.signal.removeEventListener("abort", f); c.signal.onabort = f; c.abort(); AbortSignal.any([c.signal, ctx.signal]); c.signal.throwIfAborted(); },
    () => AbortSignal.timeout(1), () => new AbortSignal(), () => new EventTarget().dispatchEvent(new CustomEvent("x", { detail: 1, cancelable: true })), () => new DOMException("x", "AbortError"),
    () => new WorkflowError("x"), () => new Date(), () => Date(), () => Date.now(), () => Math.random(), () => performance.now(), () => performance.timeOrigin, () => crypto.getRandomValues(new Uint8Array(70000)), () => clearInterval(setInterval(() => 1, 1)), () => console.log(error, {}, "x"),
    async () => { const s = await ctx.chat.completions.create({ stream: true }), i = s[Symbol.asyncIterator](); const waiting = i.next(); await s.final(); await waiting; await i.next(); await i.return(); },
    async () => { const s = ctx.datastore.scan("x"), i = s[Symbol.asyncIterator](); await i.next(); await i.next(); await i.return(1); },
    async () => { const r = await ctx.http.get("http://x/"); r.text(); r.bytes(); try { r.json(); } catch {} r.raise_for_status(); }];
  const isText = (value) => typeof value === "string";
  poison();
  for (let f = 0; f < functions.length; f++) for (let g = 0; g < given.length; g++) { if (functions[f][0] === "setInterval") continue; try { await functions[f][1](...given[g]); } catch (thrown) { if (isText(thrown?.stack)) thrown.message; } }
  for (let m = 0; m < more.length; m++) try { await more[m](); } catch {}
  const out = { functions: functions.length, called: [] }, values = Set.prototype.values.call(called);
  for (;;) { const { done, value } = values.next(); if (done) break; out.called[out.called.length] = value; }
  return out;`;

test.each(["context", "isolate"] as const)(
  "at level %s the prelude calls no intrinsic that a script can replace",
  async (isolation) => {
    const code = `(function(weft){"use strict";return {execute: async (ctx) => {${POISON}${USES}}, describe: () => null};})`;
    const run = await host.run(code, {
      isolation,
      answer: (op) => ANSWERS[op] ?? "null",
      facts: { turnMs: 20_000, cpuMs: 60_000 },
    });
    expect([run.error, run.loss]).toEqual([null, null]);
    const { functions, called } = run.output as { readonly functions: number; readonly called: readonly string[] };
    expect(functions).toBeGreaterThan(40);
    // How a value that the script itself gave becomes text is the script's own business.
    expect(called.filter((name) => !name.endsWith(".toString"))).toEqual([]);
  },
);

test("a prelude that called one would be noticed", () => {
  const context = createContext({});
  new Script(`{${POISON} poison(); globalThis.names = () => [...called]; }`).runInContext(context);
  new Script("[1].includes(1); new Map(); Math.round(1.5); new Uint8Array(1).length;", {
    filename: "weft:prelude",
  }).runInContext(context);
  const names = new Script("names()").runInContext(context) as readonly string[];
  expect(names).toEqual(
    expect.arrayContaining(["Array.prototype.includes", "Map", "Math.round", "get TypedArray.prototype.length"]),
  );
});
