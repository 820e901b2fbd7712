import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../../runtime/index.ts";
import { syncDirectory } from "../store/disk/sync-directory.ts";
import { writeWhole } from "./chunks.ts";

/** One file of a backup. */
export interface BackedUpFile {
  /** Relative to the data directory, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Hashes of its pieces, in order. */
  readonly chunks: readonly string[];
  /** Says that the file did not change since, where that can be known without reading it. */
  readonly stamp: string | null;
}

/** What one backup holds. */
export interface Manifest {
  readonly format: "weft-backup-1";
  /** Version of Weft that wrote it. */
  readonly weft: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** True when the key that seals secrets is in it. */
  readonly hasKey: boolean;
  readonly files: readonly BackedUpFile[];
}

const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;
const SUFFIX = ".json";

const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** The name of a generation that began then: sorts by time. */
export function generationName(at: number): string {
  return new Date(at).toISOString().replaceAll(/[:.]/g, "-");
}

/** The dated backups of a directory. */
export class Generations {
  readonly #directory: string;
  readonly #temporary: string;

  constructor(directory: string, temporary: string) {
    this.#directory = directory;
    this.#temporary = temporary;
  }

  /** Names, the newest first. */
  async list(): Promise<readonly string[]> {
    const names = await readdir(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .filter((name) => NAME.test(name))
      .sort()
      .reverse();
  }

  /** Reads one and checks it; NOT_FOUND, CONFLICT when it is damaged or not a backup. */
  async read(name: string): Promise<Manifest> {
    const path = join(this.#directory, `${name}${SUFFIX}`);
    const text = NAME.test(name) ? await readFile(path, "utf8").catch(() => null) : null;
    if (text === null) throw fail("NOT_FOUND", { message: `There is no backup ${name.slice(0, 60)} in it.` });
    const [digest, json = ""] = text.split("\n", 2);
    if (digest !== digestOf(json))
      throw fail("CONFLICT", { message: `The backup is damaged: ${path} is not what it was.`, path });
    const manifest = JSON.parse(json) as Manifest;
    if (manifest.format !== "weft-backup-1")
      throw fail("CONFLICT", { message: `${path}: a newer Weft wrote this backup; use that one.`, path });
    return manifest;
  }

  /** Makes it a backup: until then nothing of it counts. */
  async add(name: string, manifest: Manifest): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const json = JSON.stringify(manifest);
    const text = Buffer.from(`${digestOf(json)}\n${json}\n`);
    await writeWhole(join(this.#directory, `${name}${SUFFIX}`), text, join(this.#temporary, `${name}${SUFFIX}`));
    await syncDirectory(this.#directory);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#directory, `${name}${SUFFIX}`));
  }
}
