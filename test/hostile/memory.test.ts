import { describeHostile, everyNth } from "../support/hostile-suite.ts";
import { HEAP_BOMBS, NATIVE_BOMBS } from "./scripts/memory.ts";
import { DEEP } from "./scripts/stack.ts";

/** Little memory and more time, so that memory ends them. */
const environment = { WEFT_LIMIT_MEMORY_MB: "32", WEFT_LIMIT_TURN_MS: "1200", WEFT_LIMIT_CPU_MS: "1200" };

describeHostile({ profile: "fast", environment, groups: { "heap bombs": HEAP_BOMBS } });
describeHostile({ profile: "hardened", environment, groups: { "heap bombs": everyNth(HEAP_BOMBS, 4) } });
describeHostile({ profile: "fast", groups: { "memory outside the heap": NATIVE_BOMBS, "deep stacks": DEEP } });
