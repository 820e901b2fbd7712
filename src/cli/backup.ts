import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HOLD_FILE } from "../backup/hold-file.ts";
import { openRepository } from "../backup/repository.ts";
import { type BackupOptions, takeBackup } from "../backup/take-backup.ts";
import { weftVersion } from "../version.ts";
import type { Api } from "./api.ts";
import type { Command, CommandCall } from "./command.ts";
import { dataDirOf } from "./connection.ts";
import { isUnreachable, stop } from "./exit.ts";
import { asText, dataOf } from "./json.ts";
import { progressText } from "./progress.ts";
import { sizeOf } from "./sizes.ts";

const BASE = "/api/v1/backups";
/** A hold lasts a minute. */
const RENEW_MS = 15_000;

/** A server that holds its data directory still for us. */
interface Held {
  /** Fails when the hold was lost. */
  end(): Promise<void>;
}

async function holdServer(api: Api, dataDir: string): Promise<Held> {
  const hold = dataOf(await api.call(BASE, { method: "POST" }));
  const id = asText(hold["id"]) ?? "";
  const path = `${BASE}/${id}`;
  const end = async () => {
    clearInterval(timer);
    await api.call(path, { method: "DELETE" });
  };
  const timer = setInterval(() => void api.call(`${path}/renew`, { method: "POST" }).catch(() => undefined), RENEW_MS);
  const found = await readFile(join(dataDir, HOLD_FILE), "utf8").catch(() => "");
  if (found === id) return { end };
  await end();
  const theirs = asText(hold["data_dir"]) ?? "";
  throw stop(
    "usage",
    `The server at ${api.url} keeps its data in ${theirs}, which is not ${dataDir} here. Run this on its machine, with its WEFT_DATA_DIR.`,
  );
}

/** Null when no server runs. */
async function holdOrNull(call: CommandCall, dataDir: string): Promise<Held | null> {
  try {
    return await holdServer(await call.api(), dataDir);
  } catch (error) {
    if (isUnreachable(error)) return null;
    throw error;
  }
}

function keepOf({ options }: CommandCall): number | null {
  const text = options.text("keep");
  if (text === undefined) return null;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw stop("usage", `--keep: must be a whole number from 1, got ${JSON.stringify(text)}`);
}

/** `weft backup`: a copy of everything, while the server runs. */
export const backup: Command = {
  name: "backup",
  about: "back up the server's data directory, also while it runs",
  args: [{ name: "directory", about: "where backups are kept; only what is new is added" }],
  flags: [
    { flags: "--keep <count>", about: "forget all but the newest so many backups" },
    { flags: "--without-key", about: "leave out the key that seals secrets: keep it elsewhere" },
  ],
  examples: ["weft backup /backups/weft", "weft backup /backups/weft --keep 14"],
  async run(call) {
    const dataDir = dataDirOf(call.io);
    const keep = keepOf(call);
    const repository = await openRepository(resolve(call.io.cwd, call.args[0] ?? ""));
    try {
      const report = await call.terminal.during("Backing up", async (update) => {
        const held = await holdOrNull(call, dataDir);
        const options: BackupOptions = {
          ...{ dataDir, repository, withKey: call.options.flag("withoutKey") === false, signal: call.io.signal },
          ...{ weft: weftVersion(), isLive: held !== null },
          progress: (done, total) => update(`${progressText(done, total)}  ${sizeOf(done)} of ${sizeOf(total)}`),
        };
        let ended = held === null;
        const end = async () => {
          if (held === null || ended) return;
          ended = true;
          await held.end();
        };
        // What was copied while nobody held the directory still is no backup.
        return takeBackup(options, end).finally(() => end().catch(() => undefined));
      });
      const forgotten = keep === null ? 0 : await repository.forget(keep);
      if (call.json) return call.terminal.print(JSON.stringify({ ...report, forgotten }));
      const { name, files, bytes, newBytes } = report;
      call.terminal.print(
        `${call.terminal.green("✓")} ${call.terminal.bold(name)}: ${files} files, ${sizeOf(bytes)}, ${sizeOf(newBytes)} of it new`,
      );
      if (forgotten > 0) call.terminal.note(call.terminal.dim(`${forgotten} older ones forgotten`));
    } finally {
      await repository.close();
    }
  },
};
