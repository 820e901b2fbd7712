import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { fail, type WorkflowError } from "../../../runtime/index.ts";

const SECRET_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORM = "v1.";

/** Encrypts signing secrets for the store: signing needs their value, so a hash would not do. */
export interface Sealer {
  seal(secret: string): string;
  /** Throws CONFLICT when it was sealed with another key. */
  open(sealed: string): string;
}

/** A new signing secret, `whsec_…`. */
export const newSigningSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;

function lost(cause?: unknown): WorkflowError {
  const message =
    "The signing secret cannot be read: the key file it was encrypted with is gone or another one. Rotate the secret.";
  return fail("CONFLICT", { message }, cause);
}

/** AES-256-GCM with `key`, which is kept apart from the store. */
export function createSealer(key: Buffer): Sealer {
  return {
    seal(secret) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return `${FORM}${Buffer.concat([iv, cipher.getAuthTag(), text]).toString("base64url")}`;
    },
    open(sealed) {
      const bytes = Buffer.from(sealed.startsWith(FORM) ? sealed.slice(FORM.length) : "", "base64url");
      if (bytes.length <= IV_BYTES + TAG_BYTES) throw lost();
      const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      try {
        return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
      } catch (cause) {
        throw lost(cause);
      }
    },
  };
}
