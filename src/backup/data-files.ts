import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** How a file of the data directory gets into a backup. */
export interface DataFile {
  /** Relative to the data directory, with slashes. */
  readonly path: string;
  /** `plain`: its bytes. `database`: a snapshot that SQLite makes, because others may write to it meanwhile. */
  readonly kind: "plain" | "database";
  readonly bytes: number;
  /** The same as in an earlier backup: it did not change. Null = it has to be read. */
  readonly stamp: string | null;
}

const CONTENT = /^[0-9a-f]{64}$/;
/** Uploads of imports; what is still coming ends in `.part`. */
const UPLOADS = "datastores/uploads";

async function entries(directory: string) {
  return readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}

async function sizeOf(root: string, path: string) {
  return stat(join(root, path), { bigint: true }).catch(() => null);
}

/** Contents of files never change: their name is the hash of what they hold. */
async function* contents(root: string): AsyncIterable<DataFile> {
  for (const folder of await entries(join(root, "files"))) {
    if (!/^[0-9a-f]{2}$/.test(folder.name)) continue;
    for (const { name } of await entries(join(root, "files", folder.name))) {
      const path = `files/${folder.name}/${name}`;
      const found = CONTENT.test(name) ? await sizeOf(root, path) : null;
      if (found !== null) yield { path, kind: "plain", bytes: Number(found.size), stamp: "content" };
    }
  }
}

async function stampOf(root: string, path: string): Promise<string> {
  const parts = await Promise.all([path, `${path}-wal`].map((one) => sizeOf(root, one)));
  return parts.map((found) => (found === null ? "-" : `${found.ino}:${found.size}:${found.mtimeNs}`)).join(" ");
}

async function* datastoresIn(root: string, folder: string): AsyncIterable<DataFile> {
  for (const { name } of await entries(join(root, folder))) {
    const path = `${folder}/${name}`;
    const found = name.endsWith(".db") ? await sizeOf(root, path) : null;
    if (found === null) continue;
    yield { path, kind: "database", bytes: Number(found.size), stamp: await stampOf(root, path) };
  }
}

async function* datastores(root: string): AsyncIterable<DataFile> {
  for (const account of await entries(join(root, "datastores"))) {
    if (!account.isDirectory() || account.name === "uploads" || account.name === "temporary") continue;
    for (const { name } of await entries(join(root, "datastores", account.name)))
      yield* datastoresIn(root, `datastores/${account.name}/${name}`);
  }
}

async function* uploads(root: string): AsyncIterable<DataFile> {
  for (const { name } of await entries(join(root, UPLOADS))) {
    const path = `${UPLOADS}/${name}`;
    const found = name.endsWith(".part") ? null : await sizeOf(root, path);
    if (found !== null) yield { path, kind: "plain", bytes: Number(found.size), stamp: await stampOf(root, path) };
  }
}

/** Everything beside the database that a server needs to go on: contents, datastores and uploads of imports. */
export async function listDataFiles(root: string): Promise<readonly DataFile[]> {
  const found: DataFile[] = [];
  for (const list of [contents, datastores, uploads]) for await (const file of list(root)) found.push(file);
  return found;
}
