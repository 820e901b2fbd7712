import { resolve } from "node:path";
import { readRepository } from "../backup/repository.ts";
import { restoreBackup } from "../backup/restore-backup.ts";
import { SCHEMA_VERSION } from "../backup/versions.ts";
import type { Command } from "./command.ts";
import { dataDirOf } from "./connection.ts";
import { stop } from "./exit.ts";
import { progressText } from "./progress.ts";
import { sizeOf } from "./sizes.ts";

/** `weft restore`: a data directory out of a backup. */
export const restore: Command = {
  name: "restore",
  about: "make the data directory from a backup, after every byte of it was checked",
  args: [
    { name: "directory", about: "where backups are kept" },
    { name: "backup", about: "which one; default the newest", optional: true },
  ],
  flags: [{ flags: "--list", about: "only list the backups" }],
  examples: ["weft restore /backups/weft --list", "WEFT_DATA_DIR=/var/lib/weft weft restore /backups/weft"],
  async run(call) {
    const { io, terminal } = call;
    const directory = resolve(io.cwd, call.args[0] ?? "");
    const repository = await readRepository(directory);
    const names = await repository.generations.list();
    if (call.options.flag("list")) {
      if (call.json) return terminal.print(JSON.stringify(names));
      for (const name of names) terminal.print(name);
      return;
    }
    const name = call.args[1] ?? names[0];
    if (name === undefined) throw stop("usage", `${directory}: there is no backup in it`);
    const dataDir = dataDirOf(io);
    const manifest = await terminal.during("Restoring", (update) =>
      restoreBackup({
        ...{ repository, name, dataDir, schema: SCHEMA_VERSION, signal: io.signal },
        progress: (done, total) => update(`${progressText(done, total)}  ${sizeOf(done)} of ${sizeOf(total)}`),
      }),
    );
    const { files, hasKey } = manifest;
    if (call.json)
      return terminal.print(JSON.stringify({ name, data_dir: dataDir, files: files.length, has_key: hasKey }));
    terminal.print(
      `${terminal.green("✓")} ${terminal.bold(name)} is in ${dataDir}: ${files.length} files, all checked`,
    );
    if (!hasKey) terminal.note(terminal.yellow("It has no secrets.key: put yours there, or stored secrets are lost."));
  },
};
