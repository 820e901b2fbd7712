import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/index.ts";
import { weft } from "./capture.ts";

const about = /^(?<actions>\S.*); default (?<preset>\S+)$/;
const acting = COMMANDS.flatMap(({ name, args: [first] }) => {
  const { actions = "", preset = "" } = about.exec(first?.about ?? "")?.groups ?? {};
  return first?.name === "action" && actions !== "" ? [{ name, actions, preset }] : [];
});

test("commands with actions name them, the one that is meant without any first", () => {
  const names = ["graph", "templates", "datastores", "schedules", "files", "budget", "agents"];
  expect(acting.map(({ name }) => name)).toEqual([...names, "keys", "secrets", "accounts"]);
  for (const { actions, preset } of acting) expect(actions.split(", ")[0]).toBe(preset);
});

test.each(acting)(
  "$name: an action that there is not is a usage error that names those that there are",
  async ({ name, actions }) => {
    for (const action of ["nope", ""]) {
      const { code, out, err } = await weft([name, action]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain(`action: must be one of ${actions}, got "${action}"`);
    }
  },
);
