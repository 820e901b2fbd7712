import type { Options } from "./command.ts";
import { stop } from "./exit.ts";
import { asNumber, asRecord, type JsonRecord } from "./json.ts";

const NAMES = ["usd", "tokens", "calls"] as const;

function toAmount(flag: string, text: string): number {
  const amount = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(amount) && amount >= 0) return amount;
  throw stop("usage", `${flag}: expected a number that is not negative, got ${JSON.stringify(text)}`);
}

/** The amounts that --usd, --tokens and --calls name; a usage error when there is none. */
export function amountsOf(options: Options): Record<string, number> {
  const given = NAMES.flatMap((name) => {
    const text = options.text(name);
    return text === undefined ? [] : [[name, toAmount(`--${name}`, text)] as const];
  });
  if (given.length > 0) return Object.fromEntries(given);
  throw stop("usage", "give at least one of --usd, --tokens, --calls");
}

/** The amounts of a text such as `usd=0.5,calls=20`. */
export function parseBudget(text: string): Record<string, number> {
  const pairs = text.split(",").map((pair) => {
    const [name = "", value = ""] = pair.split("=", 2);
    if (NAMES.some((known) => known === name)) return [name, toAmount(`--budget ${name}`, value)] as const;
    throw stop(
      "usage",
      `--budget: expected amounts such as usd=0.5,tokens=20000,calls=20, got ${JSON.stringify(text)}`,
    );
  });
  return Object.fromEntries(pairs);
}

const shown = (amount: unknown, name: string): string => {
  const value = asNumber(amount) ?? 0;
  return name === "usd" ? `$${value}` : String(value);
};

/** The lines of a table of a budget: each unit that is limited or was spent. */
export function balanceRows(label: string, balance: JsonRecord): readonly (readonly string[])[] {
  const of = (member: string) => asRecord(balance[member]);
  return NAMES.filter((name) => of("limits")[name] !== null || (asNumber(of("spent")[name]) ?? 0) > 0).map((name) => [
    label,
    name,
    of("limits")[name] === null ? "–" : shown(of("limits")[name], name),
    shown(of("spent")[name], name),
    shown(of("reserved")[name], name),
    of("left")[name] === null ? "–" : shown(of("left")[name], name),
  ]);
}

/** Heading of that table. */
export const BALANCE_HEADING = ["budget of", "unit", "limit", "spent", "reserved", "left"];
