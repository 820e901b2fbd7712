import { createCipheriv, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { openGraph, resealGraph, sealGraph } from "../../../src/engine/sealing/sealed-graphs.ts";
import { createSealer } from "../../../src/engine/sealing/sealer.ts";

const refused = expect.objectContaining({ code: "CONFLICT" });

test("a sealed text does not show its value, differs each time and opens with its key and at its place only", () => {
  const key = randomBytes(32);
  const sealer = createSealer([key]);
  const sealed = sealer.seal("the value", "account a");
  expect(sealed).not.toContain("the value");
  expect(Buffer.from(sealed.split(".")[2] ?? "", "base64url").toString("latin1")).not.toContain("the value");
  expect(sealer.seal("the value", "account a")).not.toBe(sealed);
  expect(sealer.open(sealed, "account a")).toBe("the value");
  for (const wrong of [
    () => createSealer([randomBytes(32)]).open(sealed, "account a"),
    () => sealer.open(sealed, "account b"),
    () => sealer.open(`${sealed.slice(0, -2)}AA`, "account a"),
    () => sealer.open("v2.x.AA", "account a"),
    () => sealer.open("v1.AA", "account a"),
    () => sealer.open("", "account a"),
  ])
    expect(wrong).toThrow(refused);
});

test("the first key of a ring seals, all open, and what an earlier Weft sealed opens as well", () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)];
  const before = createSealer([old]).seal("x", "p");
  const ring = createSealer([fresh, old]);
  expect(ring.open(before, "p")).toBe("x");
  expect(ring.seal("x", "p").startsWith(`v2.${ring.keyId}.`)).toBe(true);
  expect(() => createSealer([fresh]).open(before, "p")).toThrow(refused);
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", old, iv);
  const text = Buffer.concat([cipher.update("first form"), cipher.final()]);
  const first = `v1.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64url")}`;
  expect(ring.open(first, "any place")).toBe("first form");
});

test("a graph hides the secrets of its webhooks, and nothing else of it changes", () => {
  const sealer = createSealer([randomBytes(32)]);
  const graph = {
    nodes: [{ config: { webhook_secret: 'quo"te\\d', webhook_id: "1" } }, { config: { text: "webhook_secret" } }],
  };
  const text = JSON.stringify(graph);
  const sealed = sealGraph(text, "a", sealer);
  expect(sealed).not.toContain("quo");
  expect(JSON.parse(openGraph(sealed, "a", sealer))).toEqual(graph);
  expect(openGraph(text, "a", sealer)).toBe(text);
  expect(() => openGraph(sealed, "b", sealer)).toThrow(refused);
  const looksSealed = JSON.stringify({ nodes: [{ config: { webhook_secret: "v2.0123abcd.QUJD" } }] });
  expect(openGraph(sealGraph(looksSealed, "a", sealer), "a", sealer)).toBe(looksSealed);
  expect(JSON.parse(openGraph(resealGraph(sealed, "a", sealer), "a", sealer))).toEqual(graph);
});
