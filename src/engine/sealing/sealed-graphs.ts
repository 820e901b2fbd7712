import { randomBytes } from "node:crypto";
import type { Store } from "../../store/store.ts";
import { PLACES } from "./places.ts";
import { isSealed, type Sealer } from "./sealer.ts";

/** The member of a webhook node's config, as JSON text. */
const SECRET = /"webhook_secret":"((?:[^"\\]|\\.)*)"/g;

function mapSecrets(text: string, change: (secret: string) => string): string {
  if (!text.includes('"webhook_secret"')) return text;
  return text.replaceAll(SECRET, (_, json: string) => {
    const secret = JSON.parse(`"${json}"`) as string;
    return `"webhook_secret":${JSON.stringify(change(secret))}`;
  });
}

/** The text of a graph with the secrets of its webhooks sealed. */
export function sealGraph(text: string, accountId: string, sealer: Sealer): string {
  return mapSecrets(text, (secret) => sealer.seal(secret, PLACES.trigger(accountId)));
}

/** The same with the secrets as they are; one that was stored by an earlier Weft is not sealed yet. */
export function openGraph(text: string, accountId: string, sealer: Sealer): string {
  return mapSecrets(text, (secret) => (isSealed(secret) ? sealer.open(secret, PLACES.trigger(accountId)) : secret));
}

/** The text of a graph whose secrets another key sealed, sealed by the newest. */
export function resealGraph(text: string, accountId: string, sealer: Sealer): string {
  return sealGraph(openGraph(text, accountId, sealer), accountId, sealer);
}

type Graphs = Pick<Store, "putGraph" | "graphDocument" | "findTrigger">;

/** Opens; null when its key is gone. */
function openOrNull(sealed: string, accountId: string, sealer: Sealer): string | null {
  try {
    return sealer.open(sealed, PLACES.trigger(accountId));
  } catch {
    return null;
  }
}

/** The graph without the secrets whose keys are gone: it lives on, and gets new ones when it is saved. */
function openReadable(text: string, accountId: string, sealer: Sealer): string {
  return mapSecrets(text, (secret) => (isSealed(secret) ? (openOrNull(secret, accountId, sealer) ?? "") : secret));
}

/** Stands for a secret whose key is gone: nobody knows it, so nobody is let in. */
const unknowable = (): string => randomBytes(32).toString("base64url");

/** The store's graphs with the secrets of their webhooks sealed on their way in and opened on their way out. */
export function withSealedGraphs(store: Graphs, sealer: Sealer): Graphs {
  return {
    putGraph({ document, triggers, ...params }) {
      const { accountId } = params;
      return store.putGraph({
        ...params,
        ...(document === undefined
          ? {}
          : { document: { ...document, text: sealGraph(document.text, accountId, sealer) } }),
        ...(triggers === undefined
          ? {}
          : {
              triggers: triggers.map((trigger) => ({
                ...trigger,
                secret: sealer.seal(trigger.secret, PLACES.trigger(accountId)),
              })),
            }),
      });
    },
    async graphDocument(params) {
      const text = await store.graphDocument(params);
      return text === null ? null : openReadable(text, params.accountId, sealer);
    },
    async findTrigger(params) {
      const found = await store.findTrigger(params);
      if (found === null || !isSealed(found.secret)) return found;
      return { ...found, secret: openOrNull(found.secret, found.accountId, sealer) ?? unknowable() };
    },
  };
}
