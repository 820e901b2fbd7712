import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { fail, type WorkflowError } from "../../../runtime/index.ts";

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Sealed by an earlier Weft: without the id of its key, and not bound to a place. */
const FIRST_FORM = "v1.";
const FORM = "v2.";
const ID_CHARS = 8;

/** Encrypts what the store must not show but the server must read again: a hash would not do. */
export interface Sealer {
  /** Id of the key that seals: says nothing about the key. */
  readonly keyId: string;
  /** Seals a text; it can be opened for the same `place` only (which account, which name). */
  seal(text: string, place: string): string;
  /** Opens with any of the keys; throws CONFLICT when none fits. */
  open(sealed: string, place: string): string;
  /** A key for another purpose, made from the newest one. */
  derive(purpose: string): Buffer;
}

/** True for what looks like a sealed text. */
export const isSealed = (text: string): boolean => /^v[12]\.[\w.-]+$/.test(text);

function lost(cause?: unknown): WorkflowError {
  const message =
    "The secret cannot be read: the key that it was sealed with is gone or another one (secrets.key, WEFT_SECRETS_KEY). Restore the key, or set the secret anew.";
  return fail("CONFLICT", { message }, cause);
}

const idOf = (key: Buffer) =>
  createHash("sha256").update("weft seal key\n").update(key).digest("hex").slice(0, ID_CHARS);

function decrypt(bytes: Buffer, key: Buffer, place: string | null): string {
  if (bytes.length < IV_BYTES + TAG_BYTES) throw lost();
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  if (place !== null) decipher.setAAD(Buffer.from(place));
  return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
}

/** AES-256-GCM with a ring of keys that is kept apart from the store: the first seals, all open. */
export function createSealer(keys: readonly [Buffer, ...Buffer[]]): Sealer {
  const [newest] = keys;
  const keyId = idOf(newest);
  const byId = new Map(keys.map((key) => [idOf(key), key]));

  const openFirstForm = (sealed: string): string => {
    const bytes = Buffer.from(sealed.slice(FIRST_FORM.length), "base64url");
    for (const key of keys) {
      try {
        return decrypt(bytes, key, null);
      } catch {
        // Another key's.
      }
    }
    throw lost();
  };
  return {
    keyId,
    derive: (purpose) => Buffer.from(hkdfSync("sha256", newest, "", `weft ${purpose}`, newest.length)),
    seal(text, place) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", newest, iv).setAAD(Buffer.from(place));
      const bytes = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return `${FORM}${keyId}.${Buffer.concat([iv, cipher.getAuthTag(), bytes]).toString("base64url")}`;
    },
    open(sealed, place) {
      if (sealed.startsWith(FIRST_FORM)) return openFirstForm(sealed);
      const [, id = "", text = ""] = sealed.startsWith(FORM) ? sealed.split(".") : [];
      const key = byId.get(id);
      if (key === undefined) throw lost();
      try {
        return decrypt(Buffer.from(text, "base64url"), key, place);
      } catch (cause) {
        throw lost(cause);
      }
    },
  };
}
