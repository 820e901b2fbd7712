import { describeConformance } from "./harness.ts";

describeConformance("solcognia");
