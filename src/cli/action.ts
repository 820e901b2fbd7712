import type { Argument, CommandCall } from "./command.ts";
import { stop } from "./exit.ts";

/** The first argument of a command that does one of several things; the first action is meant where it is left out. */
export function actionArgument(actions: readonly string[]): Argument {
  return { name: "action", about: `${actions.join(", ")}; default ${actions[0]}`, optional: true };
}

/** The action that a command line names, or the first one; a usage error when there is no such action. */
export function actionOf({ args }: CommandCall, actions: readonly string[]): string {
  const action = args[0] ?? actions[0] ?? "";
  if (actions.includes(action)) return action;
  throw stop("usage", `action: must be one of ${actions.join(", ")}, got ${JSON.stringify(action)}`);
}
