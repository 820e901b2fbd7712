import { describeHostile } from "../support/hostile-suite.ts";
import { BACKTRACKING, ENDLESS_BUILTINS, LARGE_VALUES, OBJECT_FLOODS } from "./scripts/builtins.ts";

/** Most of these burn until they are stopped: the sooner, the better. */
const SOON = { WEFT_LIMIT_TURN_MS: "100", WEFT_LIMIT_CPU_MS: "300" };

describeHostile({
  profile: "fast",
  environment: SOON,
  groups: {
    "built-ins without end": ENDLESS_BUILTINS,
    "expressions that backtrack": BACKTRACKING,
    "large values": LARGE_VALUES,
    "floods of objects": OBJECT_FLOODS,
  },
});
