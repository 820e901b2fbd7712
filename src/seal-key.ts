import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../runtime/index.ts";

/** File in the data directory with the keys that secrets are sealed with, the newest first: whoever has the database alone cannot read them. */
export const SEAL_KEY_FILE = "secrets.key";
const BYTES = 32;

/** Keys for sealing: the first seals, all open. */
export type SealKeys = readonly [Buffer, ...Buffer[]];

async function write(path: string, keys: readonly Buffer[]): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(keys.map((key) => `${key.toString("base64")}\n`).join(""));
    await file.sync();
  } finally {
    await file.close();
  }
  // Whole or not at all, should the server die here.
  await rename(fresh, path);
}

function parse(text: string, where: string): readonly Buffer[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== "");
  return parts.map((part) => {
    const key = Buffer.from(part, /^[0-9a-f]{64}$/i.test(part) ? "hex" : "base64");
    if (key.length === BYTES) return key;
    const message = `${where}: must hold keys of ${BYTES} bytes as base64 or hex, the newest first; got one of ${key.length} bytes. Restore it, or move it away for a new one: secrets must be set anew then.`;
    throw fail("CONFLICT", { message });
  });
}

const isSome = (keys: readonly Buffer[]): keys is SealKeys => keys.length > 0;

async function readFileOrNull(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

/** Keys that the settings give, as a text, and the setting that has them. */
export interface GivenKeys {
  readonly text: string;
  readonly where: string;
}

/** The keys of WEFT_SECRETS_KEY or of the file that WEFT_SECRETS_KEY_FILE names; null when neither is set. INVALID_REQUEST. */
export async function readGivenKeys(
  settings: Readonly<Record<"secretsKey" | "secretsKeyFile", string | null>>,
): Promise<GivenKeys | null> {
  const { secretsKey, secretsKeyFile } = settings;
  if (secretsKeyFile === null) return secretsKey === null ? null : { text: secretsKey, where: "WEFT_SECRETS_KEY" };
  const setting = "WEFT_SECRETS_KEY_FILE";
  if (secretsKey !== null)
    throw fail("INVALID_REQUEST", { message: `${setting}: cannot be combined with WEFT_SECRETS_KEY`, setting });
  const text = await readFile(secretsKeyFile, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw fail("INVALID_REQUEST", { message: `${setting}: cannot be read (${cause.code})`, setting }, cause);
  });
  return { text, where: setting };
}

/**
 * The keys: of the settings (`given`) when they have some, else of the file in the data directory, readable by its
 * user only, which is made on the first start, unless `mayMake` throws. CONFLICT when one is no key.
 */
export async function loadSealKeys(
  directory: string,
  given: GivenKeys | null,
  mayMake: () => Promise<void> = async () => undefined,
): Promise<SealKeys> {
  const path = join(directory, SEAL_KEY_FILE);
  const text = given?.text ?? (await readFileOrNull(path));
  const where = given?.where ?? path;
  const keys = text === null ? [] : parse(text, where);
  if (isSome(keys)) return keys;
  if (text !== null) parse("-", where);
  await mayMake();
  const key = randomBytes(BYTES);
  await write(path, [key]);
  return [key];
}

/** Puts a new key before those of the file; the next start seals everything anew with it. Returns how many there are. */
export async function rotateSealKey(directory: string): Promise<number> {
  const keys = await loadSealKeys(directory, null);
  const next = [randomBytes(BYTES), ...keys];
  await write(join(directory, SEAL_KEY_FILE), next);
  return next.length;
}
