import { createHmac, timingSafeEqual } from "node:crypto";
import { readLinkSecret, type SecretStore } from "./link-secret.ts";

/** What a link is made of. */
export interface Linked {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly until: number | null;
}

/** Signed links to the page where one question is decided. */
export interface ApprovalLinks {
  /** The link and when it stops to work, ms since the epoch: with the question, or after 30 days. */
  of(approval: Linked): { readonly link: string; readonly expires_at: number };
  /** Id of the question that a token is for; `expired` when its time is over, null when this server did not sign it. */
  read(token: string, now: number): { readonly id: string } | "expired" | null;
  /** Sets the address that links begin with, unless a setting names it. */
  listenAt(url: string): void;
}

const SECRET = "approval_secret";
/** How long the link of a question without an end works, ms. */
const LINK_MS = 30 * 86_400_000;
const TOKEN = /^([0-9a-f]{32})\.([0-9a-z]{1,11})\.([\w-]{43})$/;

/** Makes the links of a server; the secret that signs them is kept in its store. `publicUrl`: what they begin with, null = where the server listens. */
export async function createApprovalLinks(store: SecretStore, publicUrl: string | null): Promise<ApprovalLinks> {
  const secret = await readLinkSecret(store, SECRET);
  let base = publicUrl?.replace(/\/+$/, "") ?? "";
  const sign = (id: string, expires: string) =>
    createHmac("sha256", secret).update(`approval.${id}.${expires}`).digest();
  return {
    of({ id, createdAt, until }) {
      const expiresAt = Math.ceil(until ?? createdAt + LINK_MS);
      const [hex, expires] = [id.replace("apr_", ""), expiresAt.toString(36)];
      const mac = sign(hex, expires).toString("base64url");
      return { link: `${base}/approve/${hex}.${expires}.${mac}`, expires_at: expiresAt };
    },
    read(token, now) {
      const [, hex = "", expires = "", mac = ""] = TOKEN.exec(token) ?? [];
      const given = Buffer.from(mac, "base64url");
      const right = sign(hex, expires);
      if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
      return Number.parseInt(expires, 36) <= now ? "expired" : { id: `apr_${hex}` };
    },
    listenAt(url) {
      if (publicUrl === null) base = url;
    },
  };
}
