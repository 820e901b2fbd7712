import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { READ } from "../../sandbox/wire.ts";
import { type GuestHost, startGuestHost } from "../support/guest.ts";
import { CLASSIFIED_GLOBALS } from "./globals.ts";

/** Every way to read the clock; the guest's clock starts at 1000 ms. */
const CLOCKS: Readonly<Record<string, unknown>> = {
  "Date.now()": 1_000,
  "new Date().getTime()": 1_000,
  "new Date(undefined ?? Date.now()).toISOString()": "1970-01-01T00:00:01.000Z",
  "Date()": "Thu Jan 01 1970 00:00:01 GMT+0000 (Coordinated Universal Time)",
  "Reflect.construct(Date, []).getTime()": 1_000,
  "new Date.prototype.constructor().getTime()": 1_000,
  "new (class extends Date {})().getTime()": 1_000,
  "Object.getPrototypeOf(class extends Date {}).now()": 1_000,
  "performance.now()": 0,
  "performance.timeOrigin": 1_000,
  "new Intl.DateTimeFormat('en', { timeStyle: 'medium' }).format()": "12:00:01 AM",
  "new Intl.DateTimeFormat('en', { timeStyle: 'medium' }).formatToParts().map((p) => p.value).join('')": "12:00:01 AM",
  "Temporal.Now.instant().epochMilliseconds": 1_000,
  "Temporal.Now.zonedDateTimeISO().epochMilliseconds": 1_000,
  "Temporal.Now.plainDateTimeISO().toString()": "1970-01-01T00:00:01",
  "Temporal.Now.plainDateISO().toString()": "1970-01-01",
  "Temporal.Now.plainTimeISO().toString()": "00:00:01",
};

const PLACES: Readonly<Record<string, unknown>> = {
  "Temporal.Now.timeZoneId()": "UTC",
  "Intl.DateTimeFormat().resolvedOptions().timeZone": "UTC",
  "Intl.DateTimeFormat().resolvedOptions().locale": "en-US",
  "new Date(0).getTimezoneOffset()": 0,
  "(1234.5).toLocaleString()": "1,234.5",
};

const RANDOM = [
  "Math.random()",
  "crypto.randomUUID()",
  "[...crypto.getRandomValues(new Uint8Array(40))]",
  "[...crypto.getRandomValues(new Uint32Array(3))]",
];

describe.each(["frozen", "isolate"] as const)("a deterministic guest at level %s", (isolation) => {
  let host: GuestHost;
  beforeAll(async () => {
    host = await startGuestHost();
  });
  afterAll(() => host.close());

  it.each(Object.entries(CLOCKS))("%s is the clock of the last delivery", async (code, expected) => {
    const run = await host.run(`return ${code}`, { isolation });
    expect(run.error).toBe(null);
    expect(normal(run.output)).toEqual(expected);
    expect(run.reads & READ.clock).toBe(READ.clock);
  });

  it("moves the clock only with a delivery", async () => {
    const body = `const a = Date.now(); for (let i = 0; i < 1e5; i++); const b = Date.now(); await new Promise(r => setTimeout(r, 1)); return [a, b, Date.now()]`;
    expect((await host.run(body, { isolation })).output).toEqual([1_000, 1_000, 2_000]);
  });

  it.each(Object.entries(PLACES))("%s does not depend on the machine", async (code, expected) => {
    expect((await host.run(`return ${code}`, { isolation })).output).toEqual(expected);
  });

  it.each(RANDOM)("%s depends on the seed only", async (code) => {
    const body = `return [${code}, ${code}]`;
    const [a, b, c] = await Promise.all([
      host.run(body, { isolation }),
      host.run(body, { isolation }),
      host.run(body, { isolation, seed: "cd".repeat(32) }),
    ]);
    const [first, second] = a.output as unknown[];
    expect(first).not.toEqual(second);
    expect(b.output).toEqual(a.output);
    expect(c.output).not.toEqual(a.output);
    expect(a.reads & READ.random).toBe(READ.random);
  });

  it("does not call a run impure that reads neither clock nor randomness", async () => {
    const run = await host.run(
      `return new Date(5).toISOString() + new URLSearchParamsProbe + ctx.input`.replace(
        "new URLSearchParamsProbe",
        "''",
      ),
      { isolation },
    );
    expect(run.reads).toBe(0);
  });

  it("notes reads of the caller's identity", async () => {
    for (const member of ["session_id", "sessionId", "request_id", "workflow_info.depth"]) {
      expect((await host.run(`return ctx.${member}`, { isolation })).reads).toBe(READ.identity);
    }
  });

  it("notes that a run looked whether it is streamed, also when the caller did not say", async () => {
    expect((await host.run("return ctx.params.stream ?? false", { isolation })).reads).toBe(READ.identity);
    expect(await host.run("return Object.keys(ctx.params)", { isolation })).toMatchObject({ reads: 0, output: [] });
  });

  it("has no unclassified global, and none of the removed ones", async () => {
    const walk = `const seen = new Set(); const names = []; const visit = (value, path) => {
      if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
      seen.add(value);
      for (const key of Reflect.ownKeys(value)) {
        const name = path + "." + String(key); names.push(name);
        const d = Object.getOwnPropertyDescriptor(value, key);
        if ("value" in d) visit(d.value, name);
        else if (value === globalThis) visit(value[key], name);
      } };
      visit(globalThis, "globalThis"); void Temporal; return names`;
    const names = (await host.run(walk, { isolation, limits: { maxOutputBytes: 20_000_000 } })).output as string[];
    const tops = names.filter((name) => name.split(".").length === 2).map((name) => name.slice("globalThis.".length));
    expect(tops.filter((name) => !CLASSIFIED_GLOBALS.has(name))).toEqual([]);
    const members = names.filter((name) => /\.(now|random|timeOrigin|gc|waitAsync|resize|grow)$/i.test(name));
    expect(new Set(members.map((name) => name.replace("globalThis.", "")))).toEqual(
      new Set(["Date.now", "Math.random", "performance.now", "performance.timeOrigin", "Temporal.Now"]),
    );
  });

  it.each([
    "WebAssembly",
    "SharedArrayBuffer",
    "Atomics",
    "WeakRef",
    "FinalizationRegistry",
    "Intl.Segmenter",
    "require",
    "process",
    "Buffer",
    "module",
  ])("%s is not there", async (name) => {
    expect((await host.run(`return typeof ${name}`, { isolation })).output).toBe("undefined");
  });

  it("makes no resizable buffer", async () => {
    const body = `const b = new ArrayBuffer(8, { maxByteLength: 1e9 }); return [b.byteLength, typeof b.resize, new (ArrayBuffer.prototype.constructor)(8, { maxByteLength: 16 }).resizable ?? null]`;
    expect((await host.run(body, { isolation })).output).toEqual([8, "undefined", null]);
  });
});

/** Formatters separate the time from AM with a narrow space. */
function normal(value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll("\u202f", " ") : value;
}
