import type { CommandCall, Flag } from "./command.ts";
import { stop } from "./exit.ts";

/** The flags that say when a background call begins. */
export const BEGIN_FLAGS: readonly Flag[] = [
  { flags: "--priority <number>", about: "with --background: from -100 to 100, higher first" },
  { flags: "--delay <time>", about: "with --background: begin later, for example 90s, 5m, 2h or 1d" },
];

const SECONDS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3_600, d: 86_400 };

function toSeconds(text: string): number {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  if (amount !== undefined) return Number(amount) * (SECONDS[unit] ?? 1);
  throw stop("usage", `--delay: expected seconds or a time such as 90s, 5m, 2h or 1d, got "${text}"`);
}

function toPriority(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw stop("usage", `--priority: expected a whole number from -100 to 100, got "${text}"`);
}

/** The fields of a call's body that the flags stand for; a usage error when the call is not in the background. */
export function toBeginFields({ options }: CommandCall): Record<string, number> {
  const priority = options.text("priority");
  const delay = options.text("delay");
  if ((priority ?? delay) !== undefined && !options.flag("background"))
    throw stop("usage", "--priority and --delay go with --background");
  return {
    ...(priority === undefined ? {} : { priority: toPriority(priority) }),
    ...(delay === undefined ? {} : { delay_seconds: toSeconds(delay) }),
  };
}
