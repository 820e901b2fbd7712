import { createHmac } from "node:crypto";

/** A secret of which the guest has a text in its place; the value is put in where it leaves for one of the hosts. */
export interface SecretHandle {
  readonly name: string;
  /** What the guest sees; see {@link handleText}. */
  readonly text: string;
  readonly value: string;
  /** Rules as in `config.http.allow`. */
  readonly hosts: readonly string[];
}

const TEXT_LENGTH = 32;

/** The text of a handle in one execution: nobody else can name it, and a replay makes the same. Safe in headers, URLs and JSON. */
export function handleText(seed: string, name: string): string {
  const mac = createHmac("sha256", `weft secret handle ${seed}`).update(name).digest("base64url");
  return `weft_secret_${mac.slice(0, TEXT_LENGTH)}`;
}
