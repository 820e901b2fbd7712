import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createRuntime, type ModelConfig, parseModels, toWorkflowError } from "../../runtime/index.ts";
import { parseSettings, type Settings } from "../config.ts";
import type { Command, CommandCall } from "./command.ts";
import { CHECKS, type Finding } from "./doctor-checks.ts";
import { stop } from "./exit.ts";

const problem = (name: string, thrown: unknown): Finding => ({
  name,
  state: "problem",
  text: toWorkflowError(thrown).message,
});

async function readModels({ modelsFile, environment }: Settings): Promise<ModelConfig> {
  const file = modelsFile === null ? null : await readFile(modelsFile, "utf8");
  return parseModels({ file, env: environment });
}

async function checkModels(settings: Settings): Promise<Finding> {
  try {
    await readModels(settings);
    return { name: "models", state: "ok", text: settings.modelsFile ?? "none in a file" };
  } catch (error) {
    return problem("models", error);
  }
}

/** Starts the sandbox as the server does: worker thread, host process, isolate. */
async function checkSandbox({ limits, hostProfile, hostWall }: Settings): Promise<Finding> {
  const directory = await mkdtemp(join(tmpdir(), "weft-doctor-"));
  const profile = hostProfile === "hardened" ? "hardened" : "fast";
  try {
    const runtime = await createRuntime({
      limits,
      workers: 1,
      models: parseModels({ file: null, env: {} }),
      allowPrivate: [],
      hostWall,
      datastores: directory,
      warm: [profile],
      settle: () => undefined,
      loadBundle: async () => null,
    });
    await runtime.ready().finally(() => runtime.close());
    return {
      name: "sandbox",
      state: "ok",
      text: `a ${profile} host started and stopped${hostWall === "none" ? "" : `, behind ${hostWall}`}`,
    };
  } catch (error) {
    return problem("sandbox", error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function examine({ io }: CommandCall): Promise<readonly Finding[]> {
  let settings: Settings;
  try {
    const given = parseSettings(io.env);
    settings = { ...given, dataDir: resolve(io.cwd, given.dataDir) };
  } catch (error) {
    // Everything else depends on them.
    return [problem("settings", error)];
  }
  const found: Finding[] = [{ name: "settings", state: "ok", text: "all known and valid" }];
  for (const check of CHECKS) {
    const finding = await check(settings);
    if (finding !== null) found.push(finding);
  }
  return [...found, await checkModels(settings), await checkSandbox(settings)];
}

/** `weft doctor`: whether a server can run here, and what to mend. */
export const doctor: Command = {
  name: "doctor",
  about: "check this installation: settings, data directory, disk, limits, sandbox",
  args: [],
  flags: [],
  examples: ["weft doctor", "weft doctor --json"],
  async run(call) {
    const { terminal } = call;
    const findings = await terminal.during("Looking", () => examine(call));
    const problems = findings.filter(({ state }) => state === "problem");
    if (call.json) terminal.print(JSON.stringify({ ok: problems.length === 0, findings }));
    else {
      const width = Math.max(...findings.map(({ name }) => name.length));
      const marks = { ok: terminal.green("✓"), warning: terminal.yellow("!"), problem: terminal.red("✗") };
      for (const { name, state, text } of findings) terminal.print(`${marks[state]} ${name.padEnd(width)}  ${text}`);
    }
    if (problems.length > 0)
      throw stop("failed", `${problems.length} to mend: ${problems.map(({ name }) => name).join(", ")}`);
  },
};
