import { parseBudget } from "./budget-amounts.ts";
import type { CommandCall, Flag } from "./command.ts";
import { stop } from "./exit.ts";
import { readInput } from "./input.ts";
import type { Io } from "./io.ts";

/** The flags that say what a workflow is called with; shared by `run` and `dev`. */
export const CALL_FLAGS: readonly Flag[] = [
  { flags: "--input <json>", about: "input: JSON, @file, or - for stdin; {} when neither input nor message is given" },
  { flags: "--message <text>", about: "a user message", repeat: true },
  { flags: "--session <id>", about: "session id" },
  { flags: "--secret <KEY=VALUE>", about: "a secret; KEY alone takes it from the environment", repeat: true },
  { flags: "--budget <limits>", about: "the most it may spend, for example usd=0.5,tokens=20000,calls=20" },
  { flags: "--no-cache", about: "neither read nor write the result cache" },
];

function fromEnvironment(io: Io): (key: string) => string {
  return (key) => {
    const value = io.env[key];
    if (value === undefined) throw stop("usage", `--secret: ${key} is not set in the environment`);
    return value;
  };
}

/** The JSON body that calls `ref` as the flags say. */
export async function toCallBody(call: CommandCall, ref: string): Promise<Record<string, unknown>> {
  const { options, io } = call;
  const messages = options.list("message").map((content) => ({ role: "user", content }));
  const input = await readInput(options.text("input"), io);
  const secrets = options.pairs("secret", fromEnvironment(io));
  const session = options.text("session");
  const budget = options.text("budget");
  return {
    model: ref.startsWith("workflow:") ? ref : `workflow:${ref}`,
    ...(input === undefined && messages.length > 0 ? {} : { input: input ?? {} }),
    ...(messages.length === 0 ? {} : { messages }),
    ...(session === undefined ? {} : { session_id: session }),
    ...(budget === undefined ? {} : { budget: parseBudget(budget) }),
    ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
    ...(options.off("cache") ? { no_cache: true } : {}),
  };
}
