import { afterAll, describe, expect, test } from "vitest";
import { createBundler } from "../../runtime/bundle/bundler.ts";
import { REFUSED } from "../../runtime/egress/headers.ts";
import { fail } from "../../runtime/errors.ts";
import { type Answer, runInGuest } from "./guest.ts";

const bundler = createBundler({ timeoutMs: 60_000 });
afterAll(() => bundler.close());

async function run(body: string, answer?: Answer): Promise<unknown> {
  const made = await bundler.bundle({
    files: [{ path: "main.ts", text: `export async function execute() { ${body} }` }],
  });
  const end = await runInGuest(made, answer === undefined ? {} : { answer });
  if (!end.ok) throw new Error(JSON.stringify(end.value));
  return end.value;
}

const reply =
  (body: string, more: object = {}) =>
  () => ({ status: 200, url: "http://a.example/", headers: {}, body, encoding: "text", ...more });

describe("the web platform in a frozen realm", () => {
  test("is there by name, by typeof and on globalThis, and only when used", async () => {
    expect(
      await run("return [typeof URL, typeof globalThis.Headers, globalThis.FormData !== undefined, typeof Nope]"),
    ).toEqual(["function", "function", true, "undefined"]);
    const plain = await bundler.bundle({
      files: [
        { path: "main.ts", text: "const URL = 1; export const execute = () => ({ fetch: URL, Headers: 2 }).fetch" },
      ],
    });
    expect(plain.code.length).toBeLessThan(1_000);
  });

  test("URL and URLSearchParams parse, change, refuse and can be subclassed", async () => {
    expect(
      await run(`const u = new URL("../b c?x=1#h", "https://user:pw@exämple.com:443/a/"); u.searchParams.append("y", "ü&"); u.port = "8080";
        class Mine extends URL { get short() { return this.host } }
        const failed = (() => { try { new URL("nope"); return "no" } catch (e) { return e.name } })();
        const called = (() => { try { URL("http://a"); return "no" } catch (e) { return e.name } })();
        return [u.href, u.origin, u instanceof URL, URL.canParse("x:y"), URL.canParse("nope"), URL.parse("nope"), new Mine("http://a.b").short, new Mine("http://a") instanceof Mine,
          new URL("http://a") instanceof Mine, failed, called, [...new URLSearchParams("a=1&a=2").entries()], String(new URLSearchParams({ q: "a b" })), JSON.stringify(new URL("http://a"))]`),
    ).toEqual([
      "https://user:pw@xn--exmple-cua.com:8080/b%20c?x=1&y=%C3%BC%26#h",
      "https://xn--exmple-cua.com:8080",
      true,
      true,
      false,
      null,
      "a.b",
      true,
      false,
      "TypeError",
      "TypeError",
      [
        ["a", "1"],
        ["a", "2"],
      ],
      "q=a+b",
      '"http://a/"',
    ]);
  });

  test("Headers fold case, join values and refuse what HTTP refuses", async () => {
    expect(
      await run(`const h = new Headers([["B", " 2 "], ["a", "1"]]); h.append("b", "3"); h.append("Set-Cookie", "x=1"); h.append("set-cookie", "y=2");
        const bad = [() => h.set("a b", "x"), () => h.set("a", "x\\r\\ny: z"), () => h.set("a", "é€")].map((f) => { try { f(); return false } catch (e) { return e instanceof TypeError } });
        return [[...h], h.getSetCookie(), h.get("B"), h.get("nope"), new Headers(h).has("A"), bad]`),
    ).toEqual([
      [
        ["a", "1"],
        ["b", "2, 3"],
        ["set-cookie", "x=1"],
        ["set-cookie", "y=2"],
      ],
      ["x=1", "y=2"],
      "2, 3",
      null,
      true,
      [true, true, true],
    ]);
  });

  test("Blob, File and FormData travel through a body", async () => {
    expect(
      await run(`const f = new FormData(); f.append("a", "1"); f.append("a", "zwei"); f.append("f", new File(["hé", new Uint8Array([0, 255])], 'q".bin', { type: "x/y" })); f.set("b", new Blob(["b"]));
        const r = new Response(f), g = await r.formData(), file = g.get("f");
        return [r.headers.get("content-type"), g.getAll("a"), file.name, file.type, [...await file.bytes()], g.get("b").name, new Blob(["abc"]).slice(1, -1).size, await new Blob(["a", new Blob(["b"])], { type: "T/X" }).text(), r.bodyUsed]`),
    ).toEqual([
      "multipart/form-data; boundary=weft-form-boundary",
      ["1", "zwei"],
      "q%22.bin",
      "x/y",
      [104, 195, 169, 0, 255],
      "blob",
      1,
      "ab",
      true,
    ]);
  });

  test("streams pipe, tee, decode and compress", async () => {
    expect(
      await run(`const text = "grün ".repeat(50), out = {};
        const source = () => new ReadableStream({ start(c) { for (const b of new TextEncoder().encode(text)) c.enqueue(new Uint8Array([b])); c.close() } });
        let joined = ""; for await (const part of source().pipeThrough(new TextDecoderStream())) joined += part;
        out.decoded = joined === text;
        for (const format of ["gzip", "deflate", "deflate-raw"]) out[format] = await new Response(source().pipeThrough(new CompressionStream(format)).pipeThrough(new DecompressionStream(format))).text() === text;
        const [a, b] = source().tee(); out.tee = await new Response(a).text() === await new Response(b).text();
        const up = new TransformStream({ transform: (x, c) => c.enqueue(x.toUpperCase()) }); const w = up.writable.getWriter(); w.write("a"); w.close(); out.up = (await up.readable.getReader().read()).value;
        const pair = new ReadableStream({ start(c) { c.enqueue("\\ud83d"); c.enqueue("\\ude00"); c.close() } }).pipeThrough(new TextEncoderStream()); out.pair = await new Response(pair).text();
        out.broken = await new Response(new Blob(["nope"]).stream().pipeThrough(new DecompressionStream("gzip"))).text().catch((e) => e instanceof Error);
        out.format = (() => { try { new CompressionStream("br") } catch (e) { return e.name } })();
        return out`),
    ).toEqual({
      decoded: true,
      gzip: true,
      deflate: true,
      "deflate-raw": true,
      tee: true,
      up: "A",
      pair: "😀",
      broken: true,
      format: "TypeError",
    });
  });

  test("navigator tells nothing about the machine", async () => {
    expect(await run("return [navigator.userAgent, navigator.hardwareConcurrency]")).toEqual(["Weft", 1]);
  });

  test("two executions of one bundle share no state of the platform", async () => {
    const text = "URL.seen = (URL.seen ?? 0) + 1; export const execute = () => URL.seen";
    const { code } = await bundler.bundle({ files: [{ path: "main.ts", text }] });
    const module = new Function(`return ${code}`)() as (weft: object) => { execute(): number };
    expect([module({}).execute(), module({}).execute()]).toEqual([1, 1]);
  });
});

describe("fetch", () => {
  test("is the op of ctx.http", async () => {
    const calls: unknown[] = [];
    const value = await run(
      `const r = await fetch(new URL("http://a.example/x?y"), { method: "post", headers: { "X-A": "1" }, body: new URLSearchParams({ q: "a b" }), redirect: "manual" });
       const copy = r.clone();
       return [r.status, r.ok, r.url, r.redirected, r.type, r.headers.get("content-type"), await r.json(), await copy.text(), r.bodyUsed, await r.text().catch((e) => e.name)]`,
      (op, args) => {
        calls.push([op, args]);
        return reply('{"a":1}', { headers: { "content-type": "application/json" } })();
      },
    );
    expect(calls).toEqual([
      [
        "http.request",
        {
          method: "POST",
          url: "http://a.example/x?y",
          headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8", "x-a": "1" },
          redirect: "manual",
          body: "q=a+b",
        },
      ],
    ]);
    expect(value).toEqual([
      200,
      true,
      "http://a.example/",
      true,
      "basic",
      "application/json",
      { a: 1 },
      '{"a":1}',
      true,
      "TypeError",
    ]);
  });

  test("drops headers that only the connection may set", async () => {
    const calls: unknown[] = [];
    const headers = Object.fromEntries([...REFUSED].map((name) => [name, "1"]));
    await run(
      `return (await fetch("http://a.example", { headers: ${JSON.stringify({ ...headers, "X-Mine": "2" })} })).status`,
      (_, args) => {
        calls.push(args);
        return reply("")();
      },
    );
    expect(calls).toMatchObject([{ headers: { "x-mine": "2" } }]);
    expect(Object.keys((calls[0] as { headers: object }).headers)).toEqual(["x-mine"]);
  });

  test("sends and receives bytes that are no text", async () => {
    const calls: unknown[] = [];
    const value = await run(
      `return [...await (await fetch("http://a.example", { method: "PUT", body: new Uint8Array([255, 0]) })).bytes()]`,
      (_, args) => {
        calls.push(args);
        return reply("/wA=", { encoding: "base64" })();
      },
    );
    expect(calls).toMatchObject([{ method: "PUT", body_base64: "/wA=" }]);
    expect(value).toEqual([255, 0]);
  });

  test("answers statuses without a body, and any error status", async () => {
    const script = `const r = await fetch("http://a.example"); return [r.status, r.ok, r.body === null, await r.text()]`;
    expect(await run(script, reply("", { status: 204 }))).toEqual([204, true, true, ""]);
    expect(await run(script, reply("no", { status: 404 }))).toEqual([404, false, false, "no"]);
  });

  test("rejects with a TypeError that says why and has the ctx error as its cause", async () => {
    const value = await run(
      `return fetch("http://10.0.0.1").catch((e) => [e.name, e.message, e.cause.name, e.cause.code])`,
      () => {
        throw fail("CAPABILITY_DENIED", { message: "http: 10.0.0.1 is private" });
      },
    );
    expect(value).toEqual(["TypeError", "fetch failed: http: 10.0.0.1 is private", "HttpError", "CAPABILITY_DENIED"]);
  });

  test("gives up locally when the signal fires, before or during the call", async () => {
    const value = await run(
      `const c = new AbortController(); const pending = fetch("http://a.example", { signal: c.signal }).catch((e) => e.name); c.abort();
       return [await pending, await fetch("http://a.example", { signal: AbortSignal.abort(new Error("mine")) }).catch((e) => e.message)]`,
      () => new Promise(() => undefined),
    );
    expect(value).toEqual(["AbortError", "mine"]);
  });

  test("refuses what is no request", async () => {
    const value = await run(`const names = [];
      for (const [url, init] of [["nope"], ["http://u:p@a.example"], ["http://a.example", { method: "TRACE" }], ["http://a.example", { body: "x" }]])
        names.push(await fetch(url, init).catch((e) => e.name));
      return names`);
    expect(value).toEqual(["TypeError", "TypeError", "TypeError", "TypeError"]);
  });
});

describe("crypto.subtle", () => {
  test("digests, signs, encrypts and derives", async () => {
    expect(
      await run(`const { subtle } = crypto, text = new TextEncoder().encode("a"), hex = (b) => new Uint8Array(b).toHex(), out = {};
        out.digest = hex(await subtle.digest("SHA-256", text));
        const hmac = await subtle.importKey("raw", text, { name: "HMAC", hash: "SHA-256" }, true, ["sign", "verify"]);
        const signature = await subtle.sign("HMAC", hmac, text);
        out.hmac = [hex(signature), await subtle.verify("HMAC", hmac, signature, text), await subtle.verify("HMAC", hmac, text, text)];
        const aes = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]), iv = crypto.getRandomValues(new Uint8Array(12));
        const sealed = await subtle.encrypt({ name: "AES-GCM", iv, additionalData: text }, aes, text);
        out.aes = [aes.type, aes.algorithm.name, hex(await subtle.decrypt({ name: "AES-GCM", iv, additionalData: text }, aes, sealed)), (await subtle.exportKey("raw", aes)).byteLength, (await subtle.exportKey("jwk", aes)).kty];
        const password = await subtle.importKey("raw", text, "PBKDF2", false, ["deriveBits", "deriveKey"]);
        out.pbkdf2 = hex(await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: text, iterations: 1000 }, password, 128));
        const derived = await subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt: text, iterations: 10 }, password, { name: "AES-GCM", length: 128 }, true, ["encrypt"]);
        out.derived = derived.algorithm.length;
        const hkdf = await subtle.importKey("raw", text, "HKDF", false, ["deriveBits"]);
        out.hkdf = hex(await subtle.deriveBits({ name: "HKDF", hash: { name: "SHA-256" }, salt: text, info: text }, hkdf, 64));
        return out`),
    ).toEqual({
      digest: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
      hmac: ["3ecf5388e220da9e0f919485deb676d8bee3aec046a779353b463418511ee622", true, false],
      aes: ["secret", "AES-GCM", "61", 32, "oct"],
      pbkdf2: expect.stringMatching(/^[0-9a-f]{32}$/),
      derived: 128,
      hkdf: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  test("keeps to usages and extractability", async () => {
    expect(
      await run(`const { subtle } = crypto, raw = new Uint8Array(16);
        const key = await subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt"]);
        const name = (p) => p.then(() => "none", (e) => e.name);
        return [await name(subtle.decrypt({ name: "AES-GCM", iv: raw }, key, raw)), await name(subtle.exportKey("raw", key)), await name(subtle.sign("HMAC", {}, raw)), await name(subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]))]`),
    ).toEqual(["InvalidAccessError", "InvalidAccessError", "TypeError", "NotSupportedError"]);
  });
});
