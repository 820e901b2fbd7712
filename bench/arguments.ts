import { parseArgs } from "node:util";

/** What the caller of the bench asked for. */
export interface BenchArguments {
  readonly help: boolean;
  readonly list: boolean;
  /** Fewer and shorter rounds, and no rows for the hardened host profile. */
  readonly quick: boolean;
  /** Shows where the threads of servers and hosts spend their time, and writes profiles and flame graphs; slows them a little. */
  readonly profile: boolean;
  /** Writes the report page of all results, and measures nothing. */
  readonly report: boolean;
  /** File with the results of an earlier run, to compare with; null = none. */
  readonly compare: string | null;
  /** File with results to compare with those, instead of a run; null = none. */
  readonly with: string | null;
  /** Names of the cases to run, in the order of the bench; empty = all. */
  readonly cases: readonly string[];
}

const FLAG = { type: "boolean", default: false } as const;
const OPTIONS = {
  ...{ help: FLAG, list: FLAG, quick: FLAG, profile: FLAG, report: FLAG },
  compare: { type: "string" },
  with: { type: "string" },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const known = Object.keys(OPTIONS).map((name) => `--${name}`);
    const [what] = (error as Error).message.split(". To specify");
    throw new Error(`${what}; known options: ${known.join(", ")}`);
  }
}

/** Parses the command line; throws an Error that names the unknown option or case and the known ones. */
export function parseArguments(args: readonly string[], known: readonly string[]): BenchArguments {
  const { values, positionals } = parse(args);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown}: there is no such case; known: ${known.join(", ")}`);
  const { compare = null, with: other = null, ...flags } = values;
  if (other !== null && compare === null) throw new Error("--with: needs --compare, which names the results before");
  return { ...flags, compare, with: other, cases: known.filter((name) => positionals.includes(name)) };
}
