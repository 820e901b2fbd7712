/** Shorter values are not hidden: they would also hide ordinary words. */
const MIN_LENGTH = 6;

const inner = (value: string): string => JSON.stringify(value).slice(1, -1);

/** Hides secret values in a JSON text that is about to be stored; the text stays JSON. */
export function redactJson(json: string, secrets: Readonly<Record<string, string>>): string {
  let text = json;
  for (const [name, value] of Object.entries(secrets)) {
    if (value.length >= MIN_LENGTH) text = text.replaceAll(inner(value), () => `[secret:${inner(name)}]`);
  }
  return text;
}
