import { describeConformance } from "./harness.ts";

describeConformance("motte");
