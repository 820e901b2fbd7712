import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { describeHostile } from "../support/hostile-suite.ts";
import { DISGUISES } from "./scripts/disguises.ts";
import { LOOK, PUBLISHED } from "./scripts/published.ts";

/** Room for scripts that end by themselves: on a machine that is busy a hundred calls take their time. */
const ROOM = { WEFT_LIMIT_TURN_MS: "5000", WEFT_LIMIT_CPU_MS: "10000" };

describeHostile({
  profile: "fast",
  environment: ROOM,
  groups: {},
  quickGroups: { "published escapes": PUBLISHED, "values in disguise": DISGUISES },
});

test("the probe of the published escapes notices a foreign realm, and one that has Node", () => {
  const probe = new Function("value", `${LOOK} look(value, "it"); return found;`);
  expect(probe(runInNewContext("({})"))).toContain("it: a foreign Function");
  expect(probe({})).toContain("it");
  expect(probe(Object.create(null))).toEqual([]);
});
