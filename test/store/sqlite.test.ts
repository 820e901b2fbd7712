import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSqliteStore } from "../../src/store/sqlite/store.ts";
import { describeStore } from "./contract.ts";

describeStore("the SQLite store", () => {
  const directory = mkdtempSync(join(tmpdir(), "weft-store-"));
  const open = () => createSqliteStore({ file: join(directory, "weft.db"), durability: "full" });
  return {
    open,
    reopen: open,
    async dispose() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
});
