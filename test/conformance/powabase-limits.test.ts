import { describeConformance } from "./harness.ts";

describeConformance("powabase-limits", {
  WEFT_LIMIT_TIMEOUT_MS: "600",
  WEFT_LIMIT_STREAM_TIMEOUT_MS: "600",
  WEFT_ARM_WINDOW_MS: "20",
  WEFT_EXECUTIONS_PER_MINUTE: "5",
});
