import { describeHostile, everyNth } from "../support/hostile-suite.ts";
import { ESCAPES, UNKNOWN_OPS } from "./scripts/escapes.ts";
import { FLOODS } from "./scripts/floods.ts";
import { BURNING_VALUES, DEEP, LOADING, RETURNS, THROWS } from "./scripts/results.ts";

/** Room for scripts that end by another limit: on a machine that is busy a flood of megabytes takes its time. */
const ROOM = { WEFT_LIMIT_TURN_MS: "3000", WEFT_LIMIT_CPU_MS: "6000" };

describeHostile({
  profile: "fast",
  environment: ROOM,
  quickGroups: {
    "strange results": RETURNS,
    "strange errors": THROWS,
    "values without end": DEEP,
    escapes: { ...ESCAPES, ...UNKNOWN_OPS },
  },
  groups: { floods: FLOODS },
});

describeHostile({
  profile: "fast",
  groups: { "values that burn": BURNING_VALUES, "files that break while they are loaded": LOADING },
});

describeHostile({
  profile: "hardened",
  environment: ROOM,
  quickGroups: {
    "strange results": everyNth(RETURNS, 3),
    "strange errors": everyNth(THROWS, 3),
    "values without end": everyNth(DEEP, 3),
    escapes: ESCAPES,
  },
  groups: { floods: everyNth(FLOODS, 4) },
});

describeHostile({ profile: "hardened", groups: { "values that burn": everyNth(BURNING_VALUES, 4) } });
