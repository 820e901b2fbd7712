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
  return mapSecrets(text, (secret) => (isSealed(secret) ? secret : sealer.seal(secret, PLACES.trigger(accountId))));
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
      return text === null ? null : openGraph(text, params.accountId, sealer);
    },
    async findTrigger(params) {
      const found = await store.findTrigger(params);
      if (found === null || !isSealed(found.secret)) return found;
      return { ...found, secret: sealer.open(found.secret, PLACES.trigger(found.accountId)) };
    },
  };
}
