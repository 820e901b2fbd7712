import { describeConformance } from "./harness.ts";

describeConformance("powabase");
