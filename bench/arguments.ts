/** What the caller of the bench asked for. */
export interface BenchArguments {
  readonly help: boolean;
  readonly list: boolean;
  /** Fewer and shorter rounds, and no rows for the hardened host profile. */
  readonly quick: boolean;
  /** Writes a CPU profile of each Weft server's threads beside the results; slows them a little. */
  readonly profile: boolean;
  /** Names of the cases to run, in the order of the bench; empty = all. */
  readonly cases: readonly string[];
}

const FLAGS = ["--help", "--list", "--quick", "--profile"];

/** Parses the command line; throws an Error that names the unknown option or case and the known ones. */
export function parseArguments(args: readonly string[], known: readonly string[]): BenchArguments {
  const flag = args.find((arg) => arg.startsWith("-") && !FLAGS.includes(arg));
  if (flag !== undefined) throw new Error(`${flag}: there is no such option; known: ${FLAGS.join(", ")}`);
  const named = args.filter((arg) => !arg.startsWith("-"));
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown}: there is no such case; known: ${known.join(", ")}`);
  return {
    help: args.includes("--help"),
    list: args.includes("--list"),
    quick: args.includes("--quick"),
    profile: args.includes("--profile"),
    cases: known.filter((name) => named.includes(name)),
  };
}
