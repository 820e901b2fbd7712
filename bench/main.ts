import { join } from "node:path";
import { type BenchArguments, parseArguments } from "./arguments.ts";
import type { Bench, Case } from "./case.ts";
import { CASES } from "./cases/index.ts";
import { toComparison } from "./compare.ts";
import { readResults } from "./earlier.ts";
import { LOAD_CASES, selectLoadCases } from "./load-cases.ts";
import { readMachine } from "./machine.ts";
import { emptyProfileDir, reportProfiles } from "./profiles.ts";
import { root, startProgram } from "./program.ts";
import { RESULTS_DIR, writeResults } from "./results.ts";
import { type Row, toRow } from "./row.ts";
import { runLoadCases } from "./run-load.ts";
import { toTable } from "./table.ts";

const HELP = `Usage: npm run bench -- [options] [case…]
  --quick          fewer, shorter rounds, and only the default host profile
  --compare FILE   also compares with the results of an earlier run, as in bench/results
  --with FILE      compares these results with those of --compare, and measures nothing
  --profile        also shows where the threads of server and hosts spent their time, and writes
                   CPU profiles and flame graphs to bench/results/profiles (npm run profile <case>)
  --report         writes bench/report.html from the results so far; a run of all cases does, too
  --list           says what each case measures
  --help           prints this`;

const PROFILE_DIR = `${RESULTS_DIR}/profiles`;

const print = (line: string) => void process.stdout.write(`${line}\n`);
const note = (line: string) => void process.stderr.write(`${line}\n`);

function list(): void {
  for (const { name, about } of [...LOAD_CASES, ...CASES]) print(`${name.padEnd(20)} ${about}`);
}

async function report(): Promise<string> {
  // What draws plots is loaded when they are drawn: it should not be in the memory of what measures.
  const { writeReport } = await import("./report.ts");
  return writeReport();
}

async function runCase(item: Case, bench: Bench): Promise<readonly Row[]> {
  note(`${item.name}: ${item.about}`);
  return item.run(bench).catch((error: unknown) => [toRow(item.name, { failure: String(error) })]);
}

async function runAll(args: BenchArguments): Promise<readonly Row[]> {
  const usual = [...LOAD_CASES, ...CASES]
    .map(({ name }) => name)
    .filter((name) => !(args.quick && name.endsWith("-hardened")));
  const names = args.cases.length === 0 ? usual : args.cases;
  const loads = selectLoadCases(names);
  const upstreamProgram = await startProgram({ args: ["bench/upstream.ts"], env: {} });
  const profileDir = args.profile ? PROFILE_DIR : null;
  const bench: Bench = { quick: args.quick, profileDir, upstream: upstreamProgram.firstLine, upstreamProgram };
  try {
    note(`load: ${loads.map(({ name }) => name).join(", ")}`);
    const rows = loads.length === 0 ? [] : [...(await runLoadCases(loads, bench))];
    for (const item of CASES) if (names.includes(item.name)) rows.push(...(await runCase(item, bench)));
    return rows;
  } finally {
    await upstreamProgram.stop();
  }
}

async function run(args: BenchArguments): Promise<void> {
  // Read first: a wrong name should not cost a whole run.
  const earlier = args.compare === null ? null : await readResults(args.compare);
  const startedAt = new Date();
  const before = readMachine();
  if (args.profile) await emptyProfileDir(PROFILE_DIR);
  const rows = await runAll(args);
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  const after = readMachine();
  const { quick, profile } = args;
  print(toTable(rows));
  if (profile) for (const line of await reportProfiles(PROFILE_DIR)) print(line);
  const file = await writeResults({ startedAt, seconds, quick, profile, before, after, rows });
  if (!quick && args.cases.length === 0) print(`\nreport: ${await report()}`);
  if (rows.some((row) => row.failure !== null)) process.exitCode = 1;
  const [load] = before.loadAverage;
  print(
    `\n${before.cores} × ${before.cpu}, Node ${before.node}, load average ${load} before the run; ${seconds} s; ${file}`,
  );
  if ((load ?? 0) > 1)
    print("Something else kept this machine busy: trust the ratios, not the times, or measure again.");
  if (earlier !== null) print(`\n${toComparison(earlier, await readResults(join(root, file)))}`);
}

process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
try {
  const args = parseArguments(
    process.argv.slice(2),
    [...LOAD_CASES, ...CASES].map(({ name }) => name),
  );
  if (args.help) print(HELP);
  else if (args.list) list();
  else if (args.report) print(await report());
  else if (args.compare !== null && args.with !== null)
    print(toComparison(await readResults(args.compare), await readResults(args.with)));
  else await run(args);
} catch (error) {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
