import { SETTINGS } from "./config.ts";

const LIMIT = "WEFT_LIMIT_";

/** What most people set; the README gives these a row each, and names the others in one paragraph. */
const COMMON: ReadonlySet<string> = new Set([
  "WEFT_PORT",
  "WEFT_HOST",
  "WEFT_DATA_DIR",
  "WEFT_API_KEY",
  "WEFT_URL",
  "WEFT_PUBLIC_URL",
  "WEFT_DURABILITY",
  "WEFT_WORKERS",
  "WEFT_HTTP_ALLOW_PRIVATE",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "WEFT_MODELS",
]);

const shown = (fallback: string, unit: string): string =>
  fallback === "" ? "unset" : unit === "" ? fallback : `${fallback} ${unit}`;

// The number of cores differs between machines, so the README names the rule instead.
const defaultOf = ({ name, fallback, unit }: (typeof SETTINGS)[number]): string =>
  name === "WEFT_WORKERS" ? "one per core" : shown(fallback, unit);

/** The settings that most people need as a Markdown table: the one in README.md. */
export function settingsTable(): string {
  const rows = SETTINGS.filter(({ name }) => COMMON.has(name)).map(
    (setting) => `| \`${setting.name}\` | ${defaultOf(setting)} | ${setting.sentence} |`,
  );
  return ["| setting | default | meaning |", "|---|---|---|", ...rows].join("\n");
}

const paragraph = (settings: typeof SETTINGS, prefix: string): string =>
  settings.map((setting) => `\`${setting.name.slice(prefix.length)}\` ${defaultOf(setting)}`).join(" · ");

/** The settings that are neither in the table nor limits, with their defaults, in one paragraph: the one in README.md. */
export function rarerParagraph(): string {
  const rarer = SETTINGS.filter(({ name }) => !COMMON.has(name) && !name.startsWith(LIMIT));
  return paragraph(rarer, "");
}

/** The limits with their defaults in one paragraph: the one in README.md. */
export function limitsParagraph(): string {
  const limits = SETTINGS.filter(({ name }) => name.startsWith(LIMIT));
  return paragraph(limits, LIMIT);
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
