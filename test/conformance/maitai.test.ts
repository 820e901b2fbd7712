import { describeConformance } from "./harness.ts";

describeConformance("maitai");
