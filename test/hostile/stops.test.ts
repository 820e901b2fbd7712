import { describeHostile, everyNth } from "../support/hostile-suite.ts";
import { LOOPS, UNSTOPPABLE } from "./scripts/cpu.ts";
import { HUGE_ARRAYS, NATIVE_BOMBS } from "./scripts/memory.ts";
import { DEEP } from "./scripts/stack.ts";

describeHostile({
  profile: "fast",
  groups: { loops: LOOPS, "unstoppable built-ins": UNSTOPPABLE },
});

describeHostile({
  profile: "hardened",
  groups: {
    loops: everyNth(LOOPS, 4),
    "unstoppable built-ins": everyNth(UNSTOPPABLE, 4),
    "huge arrays": everyNth(HUGE_ARRAYS, 2),
    "memory outside the heap": everyNth(NATIVE_BOMBS, 4),
    "deep stacks": everyNth(DEEP, 4),
  },
});
