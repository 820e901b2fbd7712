import type { Api } from "./api.ts";
import { stop } from "./exit.ts";
import type { Io } from "./io.ts";
import type { Terminal } from "./terminal.ts";

/** One positional argument; `many` takes the rest of the line, at least one; an `optional` one may be left out. */
export interface Argument {
  readonly name: string;
  readonly about: string;
  readonly many?: boolean;
  readonly optional?: boolean;
}

/** One flag, as the help shows it: `--ref <ref>`; `repeat` may be given several times. */
export interface Flag {
  readonly flags: string;
  readonly about: string;
  readonly repeat?: boolean;
}

/** One command of `weft`; adding one is writing its file and naming it in `index.ts`. */
export interface Command {
  readonly name: string;
  readonly about: string;
  readonly args: readonly Argument[];
  readonly flags: readonly Flag[];
  /** Command lines shown in its help. */
  readonly examples: readonly string[];
  run(call: CommandCall): Promise<void>;
}

/** What a command is run with. */
export interface CommandCall {
  readonly args: readonly string[];
  readonly options: Options;
  /** True with --json: stdout carries JSON only. */
  readonly json: boolean;
  readonly io: Io;
  readonly terminal: Terminal;
  /** The server's HTTP API; made on first use, so that commands without a server need none. */
  api(): Promise<Api>;
}

/** The values of a command's flags, read by name. */
export interface Options {
  /** Value of a flag with a value; undefined when it was not given. */
  text(name: string): string | undefined;
  flag(name: string): boolean;
  /** True when `--no-<name>` was given. */
  off(name: string): boolean;
  /** All values of a repeatable flag. */
  list(name: string): readonly string[];
  /** A repeatable flag of the form KEY=VALUE; a KEY alone goes to `missing`, or is a usage error. */
  pairs(name: string, missing?: (key: string) => string): Record<string, string>;
}

/** Reads flags out of what the argument parser found. */
export function toOptions(values: Readonly<Record<string, unknown>>): Options {
  const list = (name: string) => (Array.isArray(values[name]) ? values[name].map(String) : []);
  return {
    text: (name) => (typeof values[name] === "string" ? values[name] : undefined),
    flag: (name) => values[name] === true,
    off: (name) => values[name] === false,
    list,
    pairs(name, missing) {
      const pairs = new Map<string, string>();
      for (const item of list(name)) {
        const at = item.indexOf("=");
        if (at > 0) pairs.set(item.slice(0, at), item.slice(at + 1));
        else if (at < 0 && missing !== undefined) pairs.set(item, missing(item));
        else throw stop("usage", `--${name}: expected KEY=VALUE, got "${item}"`);
      }
      return Object.fromEntries(pairs);
    },
  };
}

/** The first positional argument. */
export function firstArg(call: CommandCall): string {
  return call.args[0] ?? "";
}
