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
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, tokens: true });
  } catch (error) {
    const known = Object.keys(OPTIONS).map((name) => `--${name}`);
    const [what] = (error as Error).message.split(". To specify");
    throw new Error(`${what}; known options: ${known.join(", ")}`);
  }
}

type Parsed = ReturnType<typeof parse>;

/** Options that measure nothing, and the other options that they go with. */
const WITHOUT_RUN = { with: ["with", "compare"], report: ["report"] } as const;

/** What contradicts itself in a command line; null when nothing does. */
function contradiction({ values, positionals, tokens }: Parsed): string | null {
  const names = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
  for (const name of ["compare", "with"] as const)
    if (names.indexOf(name) !== names.lastIndexOf(name)) return `--${name}: given twice`;
  if (values.with !== undefined && values.compare === undefined)
    return "--with: needs --compare, which names the results before";
  for (const [name, fitting] of Object.entries(WITHOUT_RUN)) {
    const isAlone = positionals.length === 0 && names.every((other) => fitting.some((one) => one === other));
    if (names.includes(name as keyof typeof WITHOUT_RUN) && !isAlone)
      return `--${name}: measures nothing, so no case and no option for a run goes with it`;
  }
  return null;
}

/** Parses the command line; throws an Error that names the unknown option or case and the known ones. */
export function parseArguments(args: readonly string[], known: readonly string[]): BenchArguments {
  const parsed = parse(args);
  const wrong = contradiction(parsed);
  if (wrong !== null) throw new Error(wrong);
  const { values, positionals } = parsed;
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown}: there is no such case; known: ${known.join(", ")}`);
  const { compare = null, with: other = null, ...flags } = values;
  return { ...flags, compare, with: other, cases: known.filter((name) => positionals.includes(name)) };
}
