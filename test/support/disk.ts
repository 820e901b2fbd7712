import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Files below a directory that hold the bytes of a text, as it is, in base64 or percent-encoded. */
export async function filesWith(directory: string, text: string): Promise<readonly string[]> {
  const needles = [text, Buffer.from(text).toString("base64").slice(0, -4), encodeURIComponent(text)];
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (needles.some((needle) => bytes.includes(needle))) found.push(path);
  }
  return found;
}
