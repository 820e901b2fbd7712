import { describeConformance } from "./harness.ts";

describeConformance("across");
