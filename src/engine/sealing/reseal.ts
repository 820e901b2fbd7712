import { toWorkflowError } from "../../../runtime/index.ts";
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

/**
 * Sees to it that everything sealed in the store is sealed by the newest key, so that the former ones can be taken away;
 * one look at a setting where it is. What cannot be opened stays as it is, for a key that may come back: it is reported.
 */
export async function resealStore(
  store: Pick<Store, "readSetting" | "writeSetting" | "listSealed" | "replaceSealed" | "emptyLog">,
  sealer: Sealer,
  report: (error: unknown) => void,
): Promise<void> {
  if ((await store.readSetting({ name: KEY_ID })) === sealer.keyId) return;
  const fresh: SealedValue[] = [];
  let isWhole = true;
  for (const value of await store.listSealed()) {
    try {
      fresh.push({ ...value, text: reseal(value, sealer) });
    } catch (error) {
      isWhole = false;
      report(new Error(`${value.kind} ${value.id}: ${toWorkflowError(error).message}`, { cause: error }));
    }
  }
  for (let at = 0; at < fresh.length; at += PORTION) {
    await store.replaceSealed({ values: fresh.slice(at, at + PORTION) });
  }
  if (fresh.length > 0) await store.emptyLog();
  if (isWhole) await store.writeSetting({ name: KEY_ID, value: sealer.keyId });
}
