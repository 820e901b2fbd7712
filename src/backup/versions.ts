import { readFile } from "node:fs/promises";
import { MIGRATIONS } from "../store/sqlite/migrations.ts";

/** The newest schema of the database that this Weft knows. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The version of this Weft. */
export async function readWeftVersion(): Promise<string> {
  const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
