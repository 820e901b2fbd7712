import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Isolation } from "../../sandbox/wire.ts";
import { bundleOf, type GuestHost, startGuestHost } from "../support/guest.ts";

const LEVELS: readonly Isolation[] = ["frozen", "context", "isolate"];

/** Each script leaves something behind and says what it found of an earlier run. */
const LEAKS: Readonly<Record<string, string>> = {
  "a global": `const seen = globalThis.leak; try { globalThis.leak = "x" } catch {} return seen ?? null`,
  "a global by var in eval": `const seen = (0, eval)("typeof leaked"); try { (0, eval)("var leaked = 1") } catch {} return seen === "undefined" ? null : seen`,
  "an intrinsic's prototype": `const seen = ({}).leak; try { Object.prototype.leak = 1 } catch {} return seen ?? null`,
  "an array method": `const seen = [].push.leak; try { Array.prototype.push.leak = 1 } catch {} return seen ?? null`,
  "a hidden intrinsic": `const p = Object.getPrototypeOf(function*(){}); const seen = p.leak; try { p.leak = 1 } catch {} return seen ?? null`,
  "an iterator prototype": `const p = Object.getPrototypeOf([][Symbol.iterator]()); const seen = p.leak; try { p.leak = 1 } catch {} return seen ?? null`,
  "the promise prototype": `const p = Promise.prototype; const seen = p.leak; try { p.leak = 1 } catch {} return seen ?? null`,
  "an accessor's function": `const get = Object.getOwnPropertyDescriptor(Map.prototype, "size").get; const seen = get.leak; try { get.leak = 1 } catch {} return seen ?? null`,
  "the error class": `const seen = Error.leak ?? (Error.prepareStackTrace ? "set" : null); try { Error.leak = 1; Error.prepareStackTrace = () => "x" } catch {} return seen`,
  "a shim of ours": `const seen = Date.leak ?? console.leak ?? WorkflowError.leak ?? AbortSignal.leak; try { Date.leak = console.leak = WorkflowError.leak = AbortSignal.leak = 1 } catch {} return seen ?? null`,
  "the last regular expression match": `const seen = RegExp.$1 ?? RegExp.lastMatch; /(secret)/.exec("secret"); return seen ?? null`,
  "a registered symbol's description": `Symbol.for("leak"); return null`,
  "the parts of a class that is made when it is first read": `const parts = [TextEncoder, TextEncoder.prototype, TextDecoder.prototype.decode, EventTarget.prototype, console.log, AbortSignal.any]; const seen = parts.find((part) => part.leak); for (const part of parts) try { part.leak = 1 } catch {} return seen ? "seen" : null`,
  "the class of an event that nobody has read": `let seen = null; ctx.signal.throwIfAborted(); const c = new AbortController(); c.signal.onabort = ({ constructor }) => { seen = constructor.leak ?? constructor.prototype.leak ?? null; try { constructor.leak = constructor.prototype.leak = 1 } catch {} try { constructor.prototype.leak = 1 } catch {} }; c.abort(); return seen`,
  "the class of an error that ctx threw": `try { ctx.emit("") } catch ({ constructor }) { const seen = constructor.leak ?? Object.getPrototypeOf(constructor).leak ?? null; try { constructor.leak = 1 } catch {} try { Object.getPrototypeOf(constructor).leak = 1 } catch {} return seen }`,
  "the accessor of a global": `const { get, set } = Object.getOwnPropertyDescriptor(globalThis, "TextEncoder"); const seen = get.leak ?? set.leak ?? null; try { get.leak = 1 } catch {} try { set.leak = 1 } catch {} return seen`,
  "a global that was replaced": `const seen = console === "mine" ? "seen" : null; try { console = "mine" } catch {} try { globalThis.TextDecoder = null } catch {} return seen ?? (TextDecoder === undefined ? "gone" : null)`,
  "the ctx object": `const seen = ctx.leak ?? ctx.http.leak; try { ctx.http.leak = 1 } catch {} return seen ?? null`,
  "a template object": `const f = (s) => s; const s = f\`a\`; try { s.leak = 1 } catch {} return s.leak ?? null`,
  "Intl state": `const seen = Intl.DateTimeFormat.leak; try { Intl.DateTimeFormat.leak = 1 } catch {} return seen ?? null`,
};

describe("isolation between two runs of the same version", () => {
  let host: GuestHost;
  beforeAll(async () => {
    host = await startGuestHost();
  });
  afterAll(() => host.close());

  for (const isolation of LEVELS) {
    for (const [name, body] of Object.entries(LEAKS)) {
      it(`${isolation}: ${name} does not leak`, async () => {
        const first = await host.run(body, { isolation });
        const second = await host.run(body, { isolation });
        expect([first.output, second.output, first.error, second.error]).toEqual([null, null, null, null]);
      });
    }

    it(`${isolation}: a bundle may replace on its globalThis what it likes, for itself`, async () => {
      const bundle = `(function(weft){"use strict";var $realm=Object.create(globalThis);$realm.TextEncoder=1;$realm.console={};
        return {execute:async()=>[$realm.TextEncoder,typeof TextEncoder,typeof console.log],describe:()=>null}})`;
      expect((await host.run(bundle, { isolation })).output).toEqual([1, "function", "function"]);
    });

    it(`${isolation}: what a bundle is called with keeps nothing`, async () => {
      const bundle = `(function(weft){"use strict";return {describe:()=>null,execute:async()=>{
        const parts=[weft,weft.op,weft.errors,...Object.values(Object.getOwnPropertyDescriptors(weft.errors)).map((d)=>d.get??d.value),...Object.values(weft.errors)];
        const seen=parts.filter((part)=>part.leak).length;
        for(const part of parts)try{part.leak=1}catch{}
        return seen}}})`;
      expect((await host.run(bundle, { isolation })).output).toBe(0);
      expect((await host.run(bundle, { isolation })).output).toBe(0);
    });

    it(`${isolation}: module state starts anew`, async () => {
      const bundle = bundleOf("return ++count", "let count = 0");
      expect((await host.run(bundle, { isolation })).output).toBe(1);
      expect((await host.run(bundle, { isolation })).output).toBe(1);
    });

    it(`${isolation}: late timers and microtasks of an ended run do nothing`, async () => {
      const body = `if (ctx.input === "first") { setTimeout(() => ctx.emit("late", 1), 5); Promise.resolve().then(() => Promise.resolve()).then(() => ctx.emit("micro", 1)); return "ended" } await new Promise(r => setTimeout(r, 30)); return "second"`;
      const [first, second] = await Promise.all([
        host.run(body, { isolation, input: "first" }),
        host.run(body, { isolation, input: "second" }),
      ]);
      expect(first.output).toBe("ended");
      expect(second.output).toBe("second");
      expect(second.chunks).toEqual([]);
      expect(first.chunks.filter((chunk) => chunk.includes("late"))).toEqual([]);
    });

    it(`${isolation}: posts of interleaved runs reach their own caller`, async () => {
      const body = `for (let i = 0; i < 20; i++) { ctx.emit("from", ctx.input); await new Promise(r => setTimeout(r, 0)); } return ctx.input`;
      const runs = await Promise.all(Array.from({ length: 8 }, (_, i) => host.run(body, { isolation, input: i })));
      runs.forEach((run, i) => {
        expect(run.output).toBe(i);
        expect(run.chunks).toEqual(Array.from({ length: 20 }, () => `"from" ${i}`));
      });
    });
  }

  it("never shares an isolate between keys", async () => {
    const body = `const seen = globalThis.leak; try { globalThis.leak = 1 } catch {} return seen ?? null`;
    for (const isolation of LEVELS) {
      expect((await host.run(body, { isolation, key: "account-a:1" })).output).toBe(null);
      expect((await host.run(body, { isolation, key: "account-b:1" })).output).toBe(null);
    }
  });

  it("lets ordinary code assign over frozen prototypes", async () => {
    const body = `const o = {}; o.toString = () => "mine"; o.constructor = 1; const e = new TypeError("x"); e.name = "Mine"; e.message = "m";
      class A extends Error { constructor() { super("a"); this.name = "A" } } class B extends Array {} ; const b = new B(); b.push(1);
      function F() {} F.prototype = Object.create(Error.prototype); F.prototype.constructor = F; F.prototype.name = "F";
      return [String(o), e.name, e.message, new A().name, b.length, new F().name]`;
    const run = await host.run(body);
    expect(run.output).toEqual(["mine", "Mine", "m", "A", 1, "F"]);
  });
});
