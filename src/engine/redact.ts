import { secretSpellings } from "../../runtime/index.ts";

/** Shorter values are not hidden: they would also hide ordinary words. */
const MIN_LENGTH = 6;

/** Hides secret values in a JSON text that is about to be stored; the text stays JSON. */
export function redactJson(json: string, secrets: Readonly<Record<string, string>>): string {
  const spellings = Object.entries(secrets)
    .filter(([, value]) => value.length >= MIN_LENGTH)
    .flatMap(([name, value]) => secretSpellings(value).map((spelling) => ({ name, spelling })))
    // A longer one may contain a shorter one.
    .sort((a, b) => b.spelling.length - a.spelling.length);
  const shown = (name: string) => `[secret:${JSON.stringify(name).slice(1, -1)}]`;
  return spellings.reduce((text, { name, spelling }) => text.replaceAll(spelling, () => shown(name)), json);
}
