import { SETTINGS } from "./config.ts";

const LIMIT = "WEFT_LIMIT_";

const shown = (fallback: string, unit: string): string =>
  fallback === "" ? "unset" : unit === "" ? fallback : `${fallback} ${unit}`;

/** The settings without the limits as a Markdown table: the one in README.md. */
export function settingsTable(): string {
  // The number of cores differs between machines, so the table names the rule instead.
  const rows = SETTINGS.filter(({ name }) => !name.startsWith(LIMIT)).map((setting) => {
    const fallback = setting.name === "WEFT_WORKERS" ? "one per core" : shown(setting.fallback, setting.unit);
    return `| \`${setting.name}\` | ${fallback} | ${setting.sentence} |`;
  });
  return ["| setting | default | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** The limits with their defaults in one paragraph: the one in README.md. */
export function limitsParagraph(): string {
  const limits = SETTINGS.filter(({ name }) => name.startsWith(LIMIT));
  return limits
    .map(({ name, fallback, unit }) => `\`${name.slice(LIMIT.length)}\` ${shown(fallback, unit)}`)
    .join(" · ");
}

/** The settings as indented plain text: the closing part of `weft --help`. */
export function settingsHelp(): string {
  const width = Math.max(...SETTINGS.map((setting) => setting.name.length));
  const rows = SETTINGS.map(
    (setting) =>
      `  ${setting.name.padEnd(width)}  ${setting.sentence.replaceAll("`", "")} [${shown(setting.fallback, setting.unit)}]`,
  );
  return ["Settings (environment variables):", ...rows].join("\n");
}
