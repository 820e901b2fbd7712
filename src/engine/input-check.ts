import type { Workflow } from "../store/store.ts";
import { createInputCheck, type InputCheck } from "./schema.ts";
import type { Target } from "./target.ts";

/** Checks of schemas that came with an upload's settings, compiled once per row read. */
const given = new WeakMap<Workflow, InputCheck | null>();

function checkOfSettings(workflow: Workflow): InputCheck | null {
  const known = given.get(workflow);
  if (known !== undefined) return known;
  const check = createInputCheck(workflow.inputSchema);
  given.set(workflow, check);
  return check;
}

/** Checks the input of a call where the script or the workflow's settings ask for it; VALIDATION_ERROR. The script's own schema goes before one of the settings. */
export function checkInput({ workflow, plan }: Target, input: unknown): void {
  if (!workflow.validateInput && !plan.config.validateInput) return;
  const check = plan.check() ?? checkOfSettings(workflow);
  check?.(input);
}
