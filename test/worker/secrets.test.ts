import { describe, expect, it } from "vitest";
import { createSecretGuard, redactSecrets } from "../../runtime/worker/secrets.ts";
import { traceArguments } from "../../runtime/worker/trace.ts";

const SEED = "ab".repeat(32);
const round = (secrets: Record<string, string>, text: string) => {
  const guard = createSecretGuard(secrets, SEED);
  return { hidden: guard.hide(text), back: guard.reveal(guard.hide(text)), shown: guard.redact(text) };
};

describe("a secret guard", () => {
  it.each([
    ["plain", (value: string) => JSON.stringify({ a: value })],
    ["as a key", (value: string) => JSON.stringify({ [value]: 1 })],
    [
      "within JSON within JSON",
      (value: string) => JSON.stringify({ body: JSON.stringify({ body: JSON.stringify({ value }) }) }),
    ],
    ["percent-encoded", (value: string) => JSON.stringify({ url: `https://x/?q=${encodeURIComponent(value)}` })],
    [
      "in basic authorization",
      (value: string) => JSON.stringify({ h: `Basic ${Buffer.from(`u:${value}`).toString("base64")}` }),
    ],
    [
      "in base64 at every offset",
      (value: string) =>
        JSON.stringify(["", "x", "xy"].map((pad) => Buffer.from(`${pad}${value}!`).toString("base64"))),
    ],
  ])("hides a value %s and gives it back", (_, write) => {
    const value = 'p"ä\\ss/w0rd+long';
    const text = write(value);
    const { hidden, back, shown } = round({ KEY: value }, text);
    for (const out of [hidden, shown]) {
      expect(() => JSON.parse(out)).not.toThrow();
      expect(out).not.toBe(text);
      expect(out).not.toContain("w0rd");
      expect(out).not.toContain(Buffer.from(value).toString("base64").slice(2, 12));
    }
    expect(back).toBe(text);
  });

  it("leaves JSON valid when a value looks like a number", () => {
    const text = '{"n":100000,"m":{"x":[100000.5]},"s":"at 100000"}';
    const { hidden, shown, back } = round({ p: "100000" }, text);
    expect(JSON.parse(shown)).toEqual({ n: 100000, m: { x: [100000.5] }, s: "at [secret p]" });
    expect(JSON.parse(hidden)).toMatchObject({ n: 100000 });
    expect(back).toBe(text);
  });

  it("does not turn a placeholder that came from outside into the value", () => {
    const text = JSON.stringify({
      link: "https://evil/?k=\u0001weft:secret:0:API_KEY\u0001 \u0001weft:AAAAAAAAAAAAAAAA:0\u0001",
    });
    const { back } = round({ API_KEY: "sk-very-secret" }, text);
    expect(back).toBe(text);
  });

  it("gives each value back when one contains another, or names the other", () => {
    const secrets = { A: "longer-secret-1", B: "secret", weft: "placeholder" };
    const text = JSON.stringify({ a: "longer-secret-1", b: "secret", c: "placeholder secret" });
    expect(round(secrets, text).back).toBe(text);
    expect(JSON.parse(round(secrets, text).shown)).toEqual({
      a: "[secret A]",
      b: "[secret B]",
      c: "[secret weft] [secret B]",
    });
  });

  it("gives the text of a handle for its value, and never the value back", () => {
    const handle = { name: "KEY", text: "weft_secret_text", value: 'a "value"/that is long', hosts: [] };
    const guard = createSecretGuard({ OTHER: "another-value", KEY: handle.value }, SEED, [handle]);
    const encoded = encodeURIComponent(handle.value);
    const text = JSON.stringify({ a: handle.value, b: encoded, c: JSON.stringify([handle.value]), d: "another-value" });
    const seen = guard.reveal(guard.hide(text));
    expect(JSON.parse(seen)).toEqual({ a: handle.text, b: handle.text, c: `["${handle.text}"]`, d: "another-value" });
    expect(JSON.parse(guard.redact(text))).toMatchObject({ a: "[secret KEY]", d: "[secret OTHER]" });
    expect(guard.hide(seen)).toBe(guard.hide(text));
  });

  it("redacts records and stored texts, and leaves short values alone", () => {
    const guard = createSecretGuard({ T: "topsecret", S: "abc" }, SEED);
    const record = { code: "EXECUTION_FAILED", message: "topsecret abc", details: { n: 1 } } as const;
    expect(guard.redactRecord(record)).toEqual({ ...record, message: "[secret T] abc" });
    expect(redactSecrets('"topsecret"', { T: "topsecret" })).toBe('"[secret T]"');
  });
});

describe("traced arguments", () => {
  it("carry neither credential headers nor secrets handed on", () => {
    const args = JSON.stringify({
      url: "u",
      headers: { Authorization: "Bearer x", "X-Api-Key": "y", accept: "z" },
      secrets: { a: "b" },
    });
    expect(JSON.parse(traceArguments(args))).toEqual({
      url: "u",
      headers: { Authorization: "[hidden]", "X-Api-Key": "[hidden]", accept: "z" },
      secrets: { a: "[hidden]" },
    });
    const headers = { authorization: "Bearer abc", accept: "text/html" };
    const hidden = { authorization: "[hidden]", accept: "text/html" };
    const call = (sent: object) => ({ tool: { type: "http", name: "x", request: { url: "u", headers: sent } } });
    expect(JSON.parse(traceArguments(JSON.stringify(call(headers))))).toEqual(call(hidden));
    const list = (sent: object) => ({ server: { url: "u", headers: sent }, allow: ["a"] });
    expect(JSON.parse(traceArguments(JSON.stringify(list(headers))))).toEqual(list(hidden));
    for (const odd of ['"headers"', '["secrets"]', "null"]) expect(traceArguments(odd)).toBe(odd);
  });
});
