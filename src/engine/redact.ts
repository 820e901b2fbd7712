import { redactSecrets } from "../../runtime/index.ts";

/** Hides secret values in a JSON text that is about to be stored; the text stays JSON. */
export function redactJson(json: string, secrets: Readonly<Record<string, string>>): string {
  return redactSecrets(json, secrets);
}
