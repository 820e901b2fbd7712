import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ImportError, type Imported, importWorkflow, PRODUCTS, type Product } from "../graph/import/index.ts";
import type { Command, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";
import { readStdin } from "./io.ts";
import { asText, dataOf } from "./json.ts";

async function textOf(call: CommandCall, file: string): Promise<string> {
  if (file === "-") return readStdin(call.io);
  return readFile(resolve(call.io.cwd, file), "utf8").catch(() => {
    throw stop("usage", `import: ${file} cannot be read`);
  });
}

function productOf(call: CommandCall): Product | null {
  const from = call.options.text("from");
  if (from === undefined) return null;
  const product = PRODUCTS.find((one) => one === from);
  if (product !== undefined) return product;
  throw stop("usage", `--from: must be one of ${PRODUCTS.join(", ")}, got ${JSON.stringify(from)}`);
}

function read(text: string, product: Product | null, file: string): Imported & { readonly product: Product } {
  try {
    return importWorkflow(text, product);
  } catch (error) {
    if (error instanceof ImportError) throw stop("usage", `${file}: ${error.message}`);
    throw error;
  }
}

async function keep(call: CommandCall, { name, description, document }: Imported): Promise<string | null> {
  const api = await call.api();
  const json = { name, description, document, dialect: "solcognia" };
  const saved = dataOf(await api.call("/api/v1/graphs", { json }));
  return asText(saved["ref"]);
}

/** `weft import`: workflows of other products as graphs. */
export const importFile: Command = {
  name: "import",
  about: "take over a workflow exported from n8n, Dify or Flowise",
  args: [{ name: "file", about: "the export (JSON, or YAML of Dify), or - for stdin" }],
  flags: [
    { flags: "--from <product>", about: `${PRODUCTS.join(", ")}; default: recognised` },
    { flags: "--name <name>", about: "name of the workflow; default the export's" },
    { flags: "--out <file>", about: "write the graph there" },
    { flags: "--save", about: "store it on the server" },
  ],
  examples: ["weft import my-n8n-workflow.json --save", "weft import app.yml --from dify --out app.json"],
  async run(call) {
    const [file = ""] = call.args;
    const found = read(await textOf(call, file), productOf(call), file);
    const imported = { ...found, name: call.options.text("name") ?? found.name };
    const { document, name, description, unmapped, product } = imported;
    const draft = { name, description, ...document };
    const out = call.options.text("out");
    if (out !== undefined) await writeFile(resolve(call.io.cwd, out), `${JSON.stringify(draft, null, 2)}\n`);
    const ref = call.options.flag("save") ? await keep(call, imported) : null;
    if (call.json) return call.terminal.print(JSON.stringify({ product, ref, unmapped, draft }));
    const { terminal } = call;
    for (const { node, type, why } of unmapped) terminal.note(`! ${node} (${type}): ${why}`);
    const partly = unmapped.length === 0 ? "" : `, ${unmapped.length} note${unmapped.length === 1 ? "" : "s"} above`;
    const summary = `${document.nodes.length} nodes from ${product}${partly}`;
    if (ref !== null) terminal.print(`${terminal.green("✓")} ${terminal.bold(ref)}: ${summary}`);
    else if (out !== undefined) terminal.print(`${terminal.green("✓")} ${out}: ${summary}`);
    else {
      terminal.note(summary);
      terminal.print(JSON.stringify(draft, null, 2));
    }
  },
};
