import { describeHostile, everyNth } from "../support/hostile-suite.ts";
import { ESCAPES, UNKNOWN_OPS } from "./scripts/escapes.ts";
import { FLOODS } from "./scripts/floods.ts";
import { BURNING_VALUES, DEEP, LOADING, RETURNS, THROWS } from "./scripts/results.ts";

describeHostile({
  profile: "fast",
  quickGroups: {
    "strange results": RETURNS,
    "strange errors": THROWS,
    "values without end": DEEP,
    escapes: { ...ESCAPES, ...UNKNOWN_OPS },
  },
  groups: { "values that burn": BURNING_VALUES, "files that break while they are loaded": LOADING, floods: FLOODS },
});

describeHostile({
  profile: "hardened",
  quickGroups: { "strange results": RETURNS, "strange errors": THROWS, "values without end": DEEP, escapes: ESCAPES },
  groups: { "values that burn": everyNth(BURNING_VALUES, 4), floods: everyNth(FLOODS, 4) },
});
