import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../runtime/index.ts";
import { parseSettings, SETTINGS } from "../../src/config.ts";
import { limitsParagraph, rarerParagraph, settingsHelp, settingsTable } from "../../src/settings-table.ts";

describe("settings", () => {
  test("an empty environment gives the documented defaults", () => {
    const settings = parseSettings({});
    expect(settings).toMatchObject({ port: 8787, host: "127.0.0.1", dataDir: "./.weft", apiKey: null });
    expect(settings.limits).toEqual(DEFAULT_LIMITS);
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.limits)).toBe(true);
  });

  test("an empty variable counts as unset", () => {
    expect(parseSettings({ WEFT_PORT: "", WEFT_API_KEY: "" })).toMatchObject({ port: 8787, apiKey: null });
  });

  test("every limit is a setting", () => {
    const settings = parseSettings({ WEFT_LIMIT_MEMORY_MB: "64", WEFT_LIMIT_MAX_BODY_BYTES: "1000" });
    expect(settings.limits).toEqual({ ...DEFAULT_LIMITS, memoryMb: 64, maxBodyBytes: 1000 });
    const names = SETTINGS.map((setting) => setting.name).filter((name) => name.startsWith("WEFT_LIMIT_"));
    expect(names).toHaveLength(Object.keys(DEFAULT_LIMITS).length);
  });

  test.each([
    [{ WEFT_PROT: "1" }, "WEFT_PROT: there is no such setting"],
    [{ WEFT_PORT: "80a" }, 'WEFT_PORT: must be a whole number from 0 to 65535, got "80a"'],
    [{ WEFT_PORT: "70000" }, 'WEFT_PORT: must be a whole number from 0 to 65535, got "70000"'],
    [{ WEFT_HOST_PROFILE: "slow" }, 'WEFT_HOST_PROFILE: must be one of auto, fast, hardened, got "slow"'],
    [{ WEFT_ISOLATION: "none" }, 'WEFT_ISOLATION: must be one of frozen, context, isolate, got "none"'],
    [{ WEFT_STORE: "mysql" }, 'WEFT_STORE: must be one of sqlite, got "mysql"'],
    [
      { WEFT_HTTP_ALLOW_PRIVATE: "10.0.0.0/8, home" },
      "WEFT_HTTP_ALLOW_PRIVATE: must be a CIDR range such as 10.0.0.0/8",
    ],
    [{ WEFT_HOST: "  " }, 'WEFT_HOST: must be a text that is not empty, got "  "'],
    [{ WEFT_LIMIT_CPU_MS: "0" }, "WEFT_LIMIT_CPU_MS: must be a whole number from 1"],
  ])("%o is refused with its name, the rule and the value", (environment, message) => {
    expect(() => parseSettings(environment)).toThrow(message);
  });

  test("variables of others are left alone", () => {
    expect(() => parseSettings({ PATH: "/bin", OPENAI_API_KEY: "k" })).not.toThrow();
  });

  test("help names every setting once, and so does the README's table or one of its paragraphs", () => {
    for (const { name } of SETTINGS) {
      expect(settingsHelp().split(`  ${name} `)).toHaveLength(2);
      const row = settingsTable().split(`| \`${name}\` |`);
      const rarer = rarerParagraph().split(`\`${name}\` `);
      const limit = limitsParagraph().split(`\`${name.replace(/^WEFT_LIMIT_/, "")}\` `);
      expect(row.length + rarer.length + limit.length, name).toBe(4);
    }
  });

  test("every default can be parsed", () => {
    for (const setting of SETTINGS) expect(() => setting.parse(setting.fallback)).not.toThrow();
  });
});
