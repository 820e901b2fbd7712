import { describeHostile, everyNth } from "../support/hostile-suite.ts";
import { HEAP_BOMBS, HUGE_ARRAYS, NATIVE_BOMBS } from "./scripts/memory.ts";
import { DEEP } from "./scripts/stack.ts";

/** Little memory and more time, so that memory ends them. */
const environment = { WEFT_LIMIT_MEMORY_MB: "32", WEFT_LIMIT_TURN_MS: "4000", WEFT_LIMIT_CPU_MS: "4000" };

describeHostile({ profile: "fast", environment, groups: { "heap bombs": HEAP_BOMBS } });
describeHostile({ profile: "hardened", environment, groups: { "heap bombs": everyNth(HEAP_BOMBS, 4) } });
describeHostile({
  profile: "fast",
  groups: { "huge arrays": HUGE_ARRAYS, "memory outside the heap": NATIVE_BOMBS, "deep stacks": DEEP },
});
