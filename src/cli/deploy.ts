import { toWorkflowError } from "../../runtime/index.ts";
import { type Api, workflowPath } from "./api.ts";
import { checkSources, describeResult, parseCheck } from "./check.ts";
import { type Command, type CommandCall, firstArg } from "./command.ts";
import { importFile } from "./datastore-import.ts";
import { stop } from "./exit.ts";
import { asRecord, asRecords, asText, type JsonRecord } from "./json.ts";
import { sizeOf } from "./sizes.ts";
import { collectSources, type LocalFile, refOf } from "./sources.ts";
import { upload } from "./upload.ts";

const BUMPS = ["major", "minor", "patch"];

/** Datastores that the newest version may read. */
async function attachedBefore(api: Api, ref: string): Promise<readonly string[]> {
  const versions = await api.call(workflowPath(ref, "/versions")).catch((thrown: unknown) => {
    if (toWorkflowError(thrown).details["code"] === "workflow_not_found") return {};
    throw thrown;
  });
  const names = asRecords(asRecord(versions)["data"])[0]?.["datastores"];
  return Array.isArray(names) ? names.map(String) : [];
}

/** With --datastore: imports the files, and names all that the script may read from then on. */
async function attachDatastores(call: CommandCall, ref: string): Promise<readonly string[]> {
  const wanted = Object.entries(call.options.pairs("datastore", () => ""));
  if (wanted.length === 0) return [];
  const before = await attachedBefore(await call.api(), ref);
  for (const [name, file] of wanted) if (file !== "") await importFile(call, { name, file, query: {} });
  return [...new Set([...before, ...wanted.map(([name]) => name)])];
}

/** Uploads sources under `ref` and says what the server made of them; `weft dev` does it on every change. */
export async function deploySources(
  call: CommandCall,
  ref: string,
  sources: readonly LocalFile[],
  { activate } = { activate: !call.options.off("activate") },
): Promise<JsonRecord> {
  const { options, io, terminal } = call;
  const bump = options.text("bump");
  if (bump !== undefined && !BUMPS.includes(bump))
    throw stop("usage", `--bump: must be one of ${BUMPS.join(", ")}, got "${bump}"`);
  const env = options.pairs("env");
  const removed = options.list("removeAccessory");
  const fields: Record<string, string> = {
    workflow_ref_name: ref,
    ...(options.text("name") === undefined ? {} : { workflow_name: options.text("name") ?? "" }),
    ...(options.text("notes") === undefined ? {} : { version_notes: options.text("notes") ?? "" }),
    ...(bump === undefined ? {} : { version_bump: bump }),
    ...(Object.keys(env).length === 0 ? {} : { env: JSON.stringify(env) }),
    ...(removed.length === 0 ? {} : { remove_accessories: JSON.stringify(removed) }),
    ...(activate ? {} : { publish_version: "false" }),
  };
  const accessories = options.pairs("accessory");
  const attached = await attachDatastores(call, ref);
  if (attached.length > 0) Object.assign(fields, { datastores: JSON.stringify(attached) });
  const api = await call.api();
  const what = sources.length === 1 ? "1 file" : `${sources.length} files`;
  return terminal.during(`Uploading ${what}`, async (update) => {
    const onProgress = (sent: number) => update(`Uploading ${what}, ${sizeOf(sent)} sent`);
    return asRecord(await upload(api, { sources, fields, accessories, cwd: io.cwd, onProgress }));
  });
}

/** The version number in the answer of an upload. */
export function versionOf(deployment: JsonRecord): string {
  return asText(asRecord(deployment["published_version"])["version_number"]) ?? "";
}

/** With --check: refuses a script under which recorded runs would not be what they were. */
async function gate(call: CommandCall, ref: string, sources: readonly LocalFile[]): Promise<void> {
  const { options, terminal } = call;
  const last = options.text("check");
  if (last === undefined) return;
  const summary = await checkSources(call, ref, sources, parseCheck(last)).catch((thrown: unknown) => {
    if (toWorkflowError(thrown).details["code"] === "workflow_not_found") return { checked: 0, others: [] };
    throw thrown;
  });
  const { checked, others } = summary;
  terminal.note(`${terminal.dim("check:")} ${checked - others.length} of ${checked} recorded runs are identical`);
  for (const result of others) terminal.note(`  ${terminal.yellow(describeResult(result))}`);
  if (others.length === 0 || options.flag("force")) return;
  const message = `Not deployed: ${others.length} of ${checked} recorded runs are not identical with this script (--force deploys all the same).`;
  throw stop("failed", message, { checked, results: others });
}

/** `weft deploy`: uploads a script and makes it the active version. */
export const deploy: Command = {
  name: "deploy",
  about: "upload a script and make it the active version",
  args: [{ name: "file", about: "the script; files it imports from relative paths are uploaded too", many: true }],
  flags: [
    { flags: "--ref <ref>", about: "public name; default: the file's name" },
    { flags: "--name <name>", about: "name shown to people" },
    { flags: "--accessory <key=file>", about: "a read-only file for the script", repeat: true },
    { flags: "--remove-accessory <key>", about: "an accessory the script has no longer; others stay", repeat: true },
    {
      flags: "--datastore <name=file>",
      about: "a datastore that the script may read, filled from the file; or a name",
      repeat: true,
    },
    { flags: "--env <KEY=VALUE>", about: "a value for ctx.env", repeat: true },
    { flags: "--notes <text>", about: "what changed" },
    { flags: "--bump <part>", about: "major, minor (default) or patch" },
    { flags: "--no-activate", about: "store the version, leave the active one" },
    {
      flags: "--check <n>",
      about: "first replay the last n runs and all waiting ones with it; deploy only if all are identical",
    },
    { flags: "--force", about: "deploy although --check found differences" },
  ],
  examples: ["weft deploy summarize.ts", "weft deploy glossary.ts --accessory terms=terms.json --env REGION=eu"],
  async run(call) {
    const { terminal, options } = call;
    const sources = collectSources(call.args, call.io.cwd);
    const ref = options.text("ref") ?? refOf(firstArg(call));
    await gate(call, ref, sources);
    const deployment = await deploySources(call, ref, sources);
    if (call.json) return terminal.print(JSON.stringify(deployment));
    const version = versionOf(deployment);
    const state =
      deployment["version_created"] === false ? "unchanged, still" : options.off("activate") ? "stored as" : "is now";
    terminal.print(`${terminal.green("✓")} ${terminal.bold(ref)} ${state} ${version}`.trimEnd());
    if (sources.length > 1) terminal.note(terminal.dim(`  ${sources.map((file) => file.path).join(", ")}`));
    terminal.note(terminal.dim(`  Call it with: weft run ${ref} --input '{…}'`));
  },
};
