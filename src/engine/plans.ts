import type { Version } from "../store/store.ts";
import { createInputCheck, type InputCheck } from "./schema.ts";
import { parseScriptConfig, type ScriptConfig } from "./script-config.ts";

/** What the engine knows about a version, worked out once. */
export interface Plan {
  readonly version: Version;
  readonly config: ScriptConfig;
  /** Keys of the accessories. */
  readonly accessories: readonly string[];
  /** Names of the datastores that it may read. */
  readonly datastores: readonly string[];
  /** Check of the input, compiled when it is first needed; null when the script has no schema. */
  check(): InputCheck | null;
  /** Whether its last run touched nothing outside and left a result to share, so that identical calls wait for each other; null = not known yet. */
  isPure: boolean | null;
}

/** Versions kept in memory. */
const MAX_PLANS = 2_000;

function createPlan(version: Version): Plan {
  let check: InputCheck | null | undefined;
  const config = parseScriptConfig(version.facts.config);
  return {
    version,
    config,
    datastores: Object.freeze([...new Set([...version.datastores, ...config.datastores])]),
    accessories: Object.freeze(Object.keys(version.accessories)),
    check() {
      check ??= createInputCheck(version.facts.inputSchema);
      return check;
    },
    isPure: null,
  };
}

/** Returns a function from a version to its plan that remembers the plans in use. */
export function createPlans(): (version: Version) => Plan {
  const plans = new Map<string, Plan>();
  return (version) => {
    const known = plans.get(version.id);
    if (known !== undefined) return known;
    const plan = createPlan(version);
    plans.set(version.id, plan);
    const oldest = plans.size > MAX_PLANS ? plans.keys().next().value : undefined;
    if (oldest !== undefined) plans.delete(oldest);
    return plan;
  };
}
