import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { withLock } from "./lock.mjs";
import { forwardSignals } from "./signals.mjs";

/** The Node binary that the project installs for itself. */
export function nodeBinary(root) {
  return join(root, "node_modules", ".bin", "node");
}

/**
 * Installs the dependencies when node_modules is missing or does not match package-lock.json; safe to call from several
 * processes at once. Speaks on stderr only, so that a command's own output stays clean.
 */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  await withLock(
    join(root, ".weft-setup.lock"),
    () => say("Waiting for another process to install the dependencies…"),
    async () => {
      if (!isInstalled(root)) await install(root);
    },
  );
}

/** Writes down that node_modules matches package-lock.json. */
export function recordInstalled(root) {
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(markFile(root), fingerprint(root));
}

async function install(root) {
  say("Installing dependencies…");
  const startedAt = Date.now();
  // Without the mark a half-installed tree is never taken for a complete one.
  rmSync(markFile(root), { force: true });
  const { code, output } = await runNpm(root);
  if (code !== 0) {
    throw new Error(
      `${output.trim()}\n\nThe dependencies could not be installed: npm ci ended with ${code}. Run it again once the cause is mended.`,
    );
  }
  await checkNode(root);
  recordInstalled(root);
  say(`Dependencies installed in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
}

function isInstalled(root) {
  const mark = markFile(root);
  return existsSync(mark) && existsSync(nodeBinary(root)) && readFileSync(mark, "utf8") === fingerprint(root);
}

/** Changes with the lockfile and with the machine: node_modules holds compiled parts. */
function fingerprint(root) {
  const lock = readFileSync(join(root, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform} ${process.arch}\n`;
}

function markFile(root) {
  return join(root, "node_modules", ".weft-installed");
}

/** Level `error` hides npm's warnings about the machine's own, older Node: only the installed one runs the project. */
function runNpm(root) {
  const npm = process.env.npm_execpath ?? "";
  const flags = ["ci", "--loglevel=error", "--include=dev", "--no-audit", "--no-fund", "--no-progress"];
  const [command, args] = basename(npm) === "npm-cli.js" ? [process.execPath, [npm, ...flags]] : ["npm", flags];
  return collect(spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] }));
}

async function checkNode(root) {
  const { code, output } = await collect(spawn(nodeBinary(root), ["--version"], { stdio: ["ignore", "pipe", "pipe"] }));
  if (code !== 0) throw new Error(`The installed Node does not run on this machine: ${output.trim()}`);
}

/** Exit code (or signal, or the reason why it did not start) and everything the child wrote. */
function collect(child) {
  let output = "";
  const add = (text) => {
    output += text;
  };
  child.stdout.setEncoding("utf8").on("data", add);
  child.stderr.setEncoding("utf8").on("data", add);
  const stopForwarding = forwardSignals(child);
  return new Promise((done) => {
    child.once("error", (error) => done({ code: error.code, output: error.message }));
    child.once("close", (code, signal) => done({ code: code ?? signal, output }));
  }).finally(stopForwarding);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
