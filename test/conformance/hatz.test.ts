import { describeConformance } from "./harness.ts";

describeConformance("hatz");
