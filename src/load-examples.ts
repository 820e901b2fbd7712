import { readdir, readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { WorkflowService } from "./engine/workflows.ts";

const DIRECTORY = join(import.meta.dirname, "..", "examples");

async function accessoriesOf(directory: string) {
  const names = await readdir(directory).catch(() => []);
  return Promise.all(
    names.toSorted().map(async (filename) => ({
      key: basename(filename, extname(filename)),
      filename,
      bytes: await readFile(join(directory, filename)),
    })),
  );
}

/** Deploys examples/<ref>.ts with the files of examples/<ref>/ as accessories; returns the refs. */
export async function loadExamples(workflows: WorkflowService, accountId: string): Promise<readonly string[]> {
  const files = (await readdir(DIRECTORY).catch(() => [])).filter((name) => name.endsWith(".ts")).toSorted();
  const refs = files.map((name) => basename(name, ".ts"));
  for (const ref of refs) {
    const text = await readFile(join(DIRECTORY, `${ref}.ts`), "utf8");
    await workflows.deploy({
      accountId,
      ref,
      upload: { files: [{ path: `${ref}.ts`, text }] },
      settings: { description: /^\/\/ (.*)$/m.exec(text)?.[1] ?? "" },
      accessories: await accessoriesOf(join(DIRECTORY, ref)),
      publish: true,
      bump: "minor",
      notes: "example",
    });
  }
  return refs;
}
