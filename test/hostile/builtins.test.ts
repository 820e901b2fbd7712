import { describeHostile } from "../support/hostile-suite.ts";
import { BACKTRACKING, ENDLESS_BUILTINS, LARGE_VALUES, OBJECT_FLOODS } from "./scripts/builtins.ts";

describeHostile({
  profile: "fast",
  groups: {
    "built-ins without end": ENDLESS_BUILTINS,
    "expressions that backtrack": BACKTRACKING,
    "large values": LARGE_VALUES,
    "floods of objects": OBJECT_FLOODS,
  },
});
