import { randomBytes } from "node:crypto";
import type { Store } from "../store/store.ts";

/** Where the secrets of signed links are kept. */
export type SecretStore = Pick<Store, "readSetting" | "writeSetting">;

const SECRET_BYTES = 32;

/** The secret of that name that signs links of this server; made when it is first asked for. */
export async function readLinkSecret(store: SecretStore, name: string): Promise<Buffer> {
  const known = await store.readSetting({ name });
  if (known !== null) return Buffer.from(known, "base64url");
  const secret = randomBytes(SECRET_BYTES);
  await store.writeSetting({ name, value: secret.toString("base64url") });
  return secret;
}
