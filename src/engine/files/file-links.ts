import { createHmac, timingSafeEqual } from "node:crypto";
import { readLinkSecret, type SecretStore } from "../link-secret.ts";

/** What a link allows: to fetch a file, or to bring its content once. */
export type LinkUse = "get" | "put";

/** What a link is checked by: the query of its address. */
export interface LinkProof {
  readonly expires: string;
  readonly sig: string;
}

/** Signed links to the content of one file; whoever holds one needs no key. */
export interface FileLinks {
  /** The address; it works until `expiresAt`, ms since the epoch (to the second). */
  of(use: LinkUse, fileId: string, expiresAt: number): string;
  /** Whether a link was signed here for this use and file, and still works. */
  check(use: LinkUse, fileId: string, proof: LinkProof, now: number): "valid" | "expired" | "forged";
  /** Sets the address that links begin with, unless a setting names it. */
  listenAt(url: string): void;
}

const SECRET = "file_secret";
const EXPIRES = /^\d{1,12}$/;

/** Makes the links of a server; the secret that signs them is kept in its store. `publicUrl`: what they begin with, null = where the server listens. */
export async function createFileLinks(store: SecretStore, publicUrl: string | null): Promise<FileLinks> {
  const secret = await readLinkSecret(store, SECRET);
  let base = publicUrl?.replace(/\/+$/, "") ?? "";
  const sign = (use: LinkUse, fileId: string, expires: string) =>
    createHmac("sha256", secret).update(`file.${use}.${fileId}.${expires}`).digest();
  return {
    of(use, fileId, expiresAt) {
      const expires = String(Math.ceil(expiresAt / 1_000));
      const sig = sign(use, fileId, expires).toString("base64url");
      return `${base}/v1/files/${fileId}/content?expires=${expires}&sig=${sig}`;
    },
    check(use, fileId, { expires, sig }, now) {
      if (!EXPIRES.test(expires)) return "forged";
      const given = Buffer.from(sig, "base64url");
      const right = sign(use, fileId, expires);
      // Text that only decodes to the signature is another address.
      const same =
        given.length === right.length && timingSafeEqual(given, right) && sig === right.toString("base64url");
      if (!same) return "forged";
      return Number(expires) * 1_000 <= now ? "expired" : "valid";
    },
    listenAt(url) {
      if (publicUrl === null) base = url;
    },
  };
}
