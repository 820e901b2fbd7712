import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { signatureHeaders } from "../../../src/engine/webhooks/signature.ts";
import { createSealer, newSigningSecret } from "../../../src/engine/webhooks/signing-secret.ts";

test("a sealed secret does not show its value, differs each time and opens with the same key only", () => {
  const key = randomBytes(32);
  const sealer = createSealer(key);
  const secret = newSigningSecret();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  const sealed = sealer.seal(secret);
  expect(sealed).not.toContain(secret.slice(6));
  expect(sealer.seal(secret)).not.toBe(sealed);
  expect(sealer.open(sealed)).toBe(secret);
  for (const wrong of [
    () => createSealer(randomBytes(32)).open(sealed),
    () => sealer.open(`${sealed.slice(0, -2)}AA`),
    () => sealer.open("v1.AA"),
    () => sealer.open(""),
  ])
    expect(wrong).toThrow(expect.objectContaining({ code: "CONFLICT" }));
});

test("each valid secret signs, and receivers that know one of them accept the message", () => {
  const secrets = [newSigningSecret(), newSigningSecret()];
  const payload = '{"a":"ü"}';
  const headers = signatureHeaders({ id: "msg_1", payload }, secrets, Date.now());
  for (const secret of secrets) expect(new Webhook(secret).verify(payload, headers)).toEqual({ a: "ü" });
  expect(() => new Webhook(newSigningSecret()).verify(payload, headers)).toThrow();
});
