import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { fail } from "../../runtime/index.ts";
import { SEAL_KEY_FILE } from "../seal-key.ts";
import { piecesOf } from "./chunks.ts";
import { type DataFile, listDataFiles } from "./data-files.ts";
import { type BackedUpFile, generationName } from "./manifest.ts";
import type { Repository } from "./repository.ts";

const DATABASE = "weft.db";
const LOG = "weft.db-wal";
/** A datastore's writer holds its file for a moment at a time. */
const BUSY_MS = 30_000;
const ALL_PAGES = 0x7fffffff;

/** What is backed up, and how. */
export interface BackupOptions {
  readonly dataDir: string;
  readonly repository: Repository;
  readonly weft: string;
  /** False: the key that seals secrets stays out. */
  readonly withKey: boolean;
  /** True while a server uses the directory and holds its database still for us. */
  readonly isLive: boolean;
  readonly signal: AbortSignal;
  /** How far it is: bytes looked at, of all. */
  progress(done: number, total: number): void;
}

/** What a backup took. */
export interface BackupReport {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes, before compression, that no earlier backup had. */
  readonly newBytes: number;
}

class Taking {
  readonly #options: BackupOptions;
  readonly #files: BackedUpFile[] = [];
  #done = 0;
  #newBytes = 0;
  total = 0;

  constructor(options: BackupOptions) {
    this.#options = options;
  }

  get files(): readonly BackedUpFile[] {
    return this.#files;
  }

  get newBytes(): number {
    return this.#newBytes;
  }

  /** Takes what an earlier backup has of it. */
  reuse(file: BackedUpFile): void {
    this.#files.push(file);
    this.#advance(file.bytes);
  }

  /** Reads a file piece by piece. */
  async read(source: string, path: string, stamp: string | null): Promise<void> {
    const file = await open(source, "r");
    const chunks: string[] = [];
    let bytes = 0;
    try {
      for await (const piece of piecesOf(file)) {
        this.#options.signal.throwIfAborted();
        const { hash, isNew } = await this.#options.repository.chunks.put(piece);
        chunks.push(hash);
        bytes += piece.byteLength;
        if (isNew) this.#newBytes += piece.byteLength;
        this.#advance(piece.byteLength);
      }
    } finally {
      await file.close();
    }
    this.#files.push({ path, bytes, chunks, stamp });
  }

  #advance(bytes: number): void {
    this.#done += bytes;
    this.#options.progress(Math.min(this.#done, this.total), this.total);
  }
}

async function snapshot(source: string, target: string, exclusive: boolean): Promise<void> {
  const db = new DatabaseSync(source, { timeout: BUSY_MS });
  try {
    if (exclusive) db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT");
    // In one step: who writes meanwhile waits, and does not make it begin again.
    await backup(db, target, { rate: ALL_PAGES });
  } finally {
    db.close();
  }
}

/** The server's own database. A live one is held still: its file does not change, and its log only grows. */
async function takeDatabase(taking: Taking, { dataDir, repository, isLive }: BackupOptions): Promise<void> {
  if (isLive) {
    await taking.read(join(dataDir, DATABASE), DATABASE, null);
    // Missing until something was written.
    if ((await bytesOf(join(dataDir, LOG))) > 0) await taking.read(join(dataDir, LOG), LOG, null);
    return;
  }
  const copy = join(repository.temporary, DATABASE);
  await snapshot(join(dataDir, DATABASE), copy, true);
  await taking.read(copy, DATABASE, null);
  await rm(copy);
}

async function takeFile(file: DataFile, taking: Taking, { dataDir, repository }: BackupOptions): Promise<void> {
  const source = join(dataDir, file.path);
  if (file.kind === "plain") return taking.read(source, file.path, file.stamp);
  const copy = join(repository.temporary, "datastore.db");
  await snapshot(source, copy, false);
  await taking.read(copy, file.path, file.stamp);
  await rm(copy);
}

async function earlier({ generations }: Repository): Promise<ReadonlyMap<string, BackedUpFile>> {
  const [newest] = await generations.list();
  const files = newest === undefined ? [] : (await generations.read(newest)).files;
  return new Map(files.map((file) => [file.path, file]));
}

async function bytesOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/**
 * Takes one backup of a data directory. The database first: every file that it names is then there, because nothing is
 * removed meanwhile. It counts once its manifest is written, after `confirm`; until then the directory holds the earlier ones.
 */
export async function takeBackup(options: BackupOptions, confirm: () => Promise<void>): Promise<BackupReport> {
  const { dataDir, repository, weft, withKey, signal } = options;
  const createdAt = Date.now();
  const taking = new Taking(options);
  if ((await bytesOf(join(dataDir, DATABASE))) === 0)
    throw fail("NOT_FOUND", { message: `${dataDir} is no data directory of Weft: it has no ${DATABASE}.` });
  const known = await earlier(repository);
  const listed = await listDataFiles(dataDir);
  taking.total =
    listed.reduce((sum, { bytes }) => sum + bytes, 0) +
    (await bytesOf(join(dataDir, DATABASE))) +
    (await bytesOf(join(dataDir, LOG)));
  await takeDatabase(taking, options);
  // Listed again: what came since the first look may already be named by the database.
  for (const file of await listDataFiles(dataDir)) {
    signal.throwIfAborted();
    const same = known.get(file.path);
    if (same !== undefined && same.stamp !== null && same.stamp === file.stamp) taking.reuse(same);
    else await takeFile(file, taking, options);
  }
  // There is none where the key comes from a setting.
  const hasKey = withKey && (await bytesOf(join(dataDir, SEAL_KEY_FILE))) > 0;
  if (hasKey) await taking.read(join(dataDir, SEAL_KEY_FILE), SEAL_KEY_FILE, null);
  await repository.chunks.sync();
  await confirm();
  const name = generationName(createdAt);
  const { files, newBytes } = taking;
  await repository.generations.add(name, { format: "weft-backup-1", weft, createdAt, hasKey, files });
  return { name, files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), newBytes };
}
