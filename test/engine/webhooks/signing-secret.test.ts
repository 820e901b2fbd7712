import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { signatureHeaders } from "../../../src/engine/webhooks/signature.ts";
import { newSigningSecret } from "../../../src/engine/webhooks/signing-secret.ts";

test("a signing secret has 256 random bits", () => {
  expect(newSigningSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(newSigningSecret()).not.toBe(newSigningSecret());
});

test("each valid secret signs, and receivers that know one of them accept the message", () => {
  const secrets = [newSigningSecret(), newSigningSecret()];
  const payload = '{"a":"ü"}';
  const headers = signatureHeaders({ id: "msg_1", payload }, secrets, Date.now());
  for (const secret of secrets) expect(new Webhook(secret).verify(payload, headers)).toEqual({ a: "ü" });
  expect(() => new Webhook(newSigningSecret()).verify(payload, headers)).toThrow();
});
