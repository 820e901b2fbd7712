import type { Command } from "./command.ts";
import { stop } from "./exit.ts";
import { dataOf } from "./json.ts";
import { placeOf, problemLines, toProblems } from "./problem.ts";
import { collectSources } from "./sources.ts";

/** `weft validate`: finds a script's errors without storing it. */
export const validate: Command = {
  name: "validate",
  about: "check a script without storing it",
  args: [{ name: "file", about: "the script; files it imports from relative paths are checked too", many: true }],
  flags: [],
  examples: ["weft validate summarize.ts"],
  async run(call) {
    const { terminal, io } = call;
    const sources = collectSources(call.args, io.cwd);
    const api = await call.api();
    const [entry, ...others] = sources.map(({ path, text }) => ({ path, text }));
    const json = { kind: "bundle", code: entry?.text, entry: entry?.path, files: others };
    const body = await terminal.during("Checking", () => api.call("/api/v1/workflows/validate", { json }));
    const answer = dataOf(body);
    const problems = toProblems(answer["errors"]);
    if (call.json) terminal.print(JSON.stringify(answer));
    else if (problems.length === 0) terminal.print(`${terminal.green("✓")} ${call.args[0]} is valid`);
    else for (const problem of problems) for (const line of problemLines(problem, terminal)) terminal.print(line);
    if (answer["ok"] === true) return;
    const places = problems.map(placeOf).join(", ");
    throw stop("failed", `${problems.length === 1 ? "1 error" : `${problems.length} errors`}: ${places}`);
  },
};
