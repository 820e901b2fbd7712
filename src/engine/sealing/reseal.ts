import { fail, toWorkflowError, type WorkflowError } from "../../../runtime/index.ts";
import type { SealedValue, Store } from "../../store/store.ts";
import { PLACES } from "./places.ts";
import { resealGraph } from "./sealed-graphs.ts";
import { isSealed, type Sealer } from "./sealer.ts";

/** Setting of the store: id of the key under which everything is sealed. */
const KEY_ID = "seal key";
/** Values changed per transaction. */
const PORTION = 100;

function reseal(value: SealedValue, sealer: Sealer): string {
  const { kind, accountId, text } = value;
  if (kind === "graph") return resealGraph(text, accountId, sealer);
  const place = placeOf(value);
  return sealer.seal(isSealed(text) ? sealer.open(text, place) : text, place);
}

function placeOf({ kind, accountId, id }: SealedValue): string {
  if (kind === "endpoint" || kind === "former") return PLACES.endpoint(id);
  if (kind === "account") return PLACES.account(accountId);
  if (kind === "handle") return PLACES.handle(accountId, id);
  return kind === "trigger" ? PLACES.trigger(accountId) : PLACES.secret(accountId, id);
}

type SealedTexts = Pick<Store, "readSetting" | "writeSetting" | "listSealed" | "replaceSealed" | "emptyLog">;

/** What happens to values whose key is not there: the start is refused, or they stay as they are, unread. */
export type Lost = "refuse" | "keep";

/** Ids of the keys that a text was sealed with, where it says so. */
const keysOf = (text: string): readonly string[] => [...text.matchAll(/v2\.([0-9a-f]{8})\./g)].map(([, id = ""]) => id);

function missingKey(values: readonly SealedValue[], why: string): WorkflowError {
  const keys = [...new Set(values.flatMap(({ text }) => keysOf(text)))];
  const named = keys.length === 0 ? "" : ` (${keys.join(", ")})`;
  const message = `${why}: ${values.length} stored secrets are sealed with a key that is not there${named}. Put it back into WEFT_SECRETS_KEY, the file of WEFT_SECRETS_KEY_FILE or secrets.key, after a new one if there is one; nothing was changed. If it is gone for good, WEFT_SECRETS_LOST=keep starts without what it sealed.`;
  return fail("CONFLICT", { message, setting: "WEFT_SECRETS_KEY", keys });
}

/** Throws CONFLICT when a new key would only hide that the one of what is stored is missing. */
export async function refuseNewKey(store: SealedTexts, lost: Lost): Promise<void> {
  if (lost === "keep") return;
  const holds = ({ kind, text }: SealedValue) =>
    kind === "graph" ? /"webhook_secret":"v[12]\./.test(text) : isSealed(text);
  const values = (await store.listSealed()).filter(holds);
  if (values.length > 0) throw missingKey(values, "secrets.key is missing");
}

/**
 * Sees to it that everything sealed in the store is sealed by the newest key, so that the former ones can be taken away;
 * one look at a setting where it is. Throws CONFLICT, having changed nothing, when something cannot be opened; with `lost`
 * "keep" it stays as it is, for a key that may come back, and is reported.
 */
export async function resealStore(
  store: SealedTexts,
  sealer: Sealer,
  { lost, report }: { readonly lost: Lost; report(error: unknown): void },
): Promise<void> {
  if ((await store.readSetting({ name: KEY_ID })) === sealer.keyId) return;
  const fresh: SealedValue[] = [];
  const unread: SealedValue[] = [];
  for (const value of await store.listSealed()) {
    try {
      fresh.push({ ...value, text: reseal(value, sealer) });
    } catch (error) {
      unread.push(value);
      if (lost === "keep")
        report(new Error(`${value.kind} ${value.id}: ${toWorkflowError(error).message}`, { cause: error }));
    }
  }
  if (unread.length > 0 && lost === "refuse") throw missingKey(unread, "another key");
  for (let at = 0; at < fresh.length; at += PORTION) {
    await store.replaceSealed({ values: fresh.slice(at, at + PORTION) });
  }
  if (fresh.length > 0) await store.emptyLog();
  if (unread.length === 0) await store.writeSetting({ name: KEY_ID, value: sealer.keyId });
}
