// Runs on whatever Node the machine has (20 or newer), before any dependency is installed: plain JavaScript, no packages.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled, recordInstalled } from "./install.mjs";
import { runFile } from "./run.mjs";

const OLDEST_NODE = 20;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const USAGE = `Usage: node src/setup/setup.mjs [--mark | --run <file> [args…] | --run-here <file> [args…]]
  (no option)   installs the dependencies when they are missing or do not match package-lock.json
  --mark        records that the installed dependencies match package-lock.json (npm calls this after an install)
  --run         installs if needed, then runs <file> with the project's own Node
  --run-here    the same, in the directory in which npm was called`;

async function main([option, file, ...args]) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new Error(
      `Weft needs Node ${OLDEST_NODE} or newer to install itself; this is Node ${process.versions.node}.`,
    );
  }
  if (option === "--mark") return recordInstalled(root);
  const runs = option === "--run" || option === "--run-here";
  if (option !== undefined && !(runs && file !== undefined)) throw new Error(USAGE);
  await ensureInstalled(root);
  if (runs) await runFile({ root, file, args, ...surroundings(option) });
}

/**
 * npm runs scripts in the package's directory; INIT_CWD is where the person who called it stands and what the paths they
 * type mean. The data directory stays the one that `npm start` uses.
 */
function surroundings(option) {
  const { env } = process;
  if (option === "--run" || env.INIT_CWD === undefined) return { cwd: process.cwd(), env };
  return { cwd: env.INIT_CWD, env: { WEFT_DATA_DIR: join(process.cwd(), ".weft"), ...env } };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
