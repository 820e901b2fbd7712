import type { Store } from "../../store/store.ts";
import { checkRef } from "../ref.ts";

/** Characters of a ref made of a name; the rest is for a number. */
const MAX_SLUG = 50;
/** Workflows of the same name in one account. */
const MAX_SAME = 10_000;

function isAllowed(ref: string): boolean {
  try {
    checkRef(ref);
    return true;
  } catch {
    return false;
  }
}

/** The name in small letters, digits and dashes. */
function slugOf(name: string): string {
  const plain = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const slug = plain
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_SLUG)
    .replaceAll(/^-+|-+$/g, "");
  return isAllowed(slug) ? slug : `workflow${slug === "" ? "" : `-${slug}`}`;
}

/** A ref for a new workflow that no other of the account has: `customer-support`, `customer-support-2`, … */
export async function freeRef(accountId: string, name: string, store: Pick<Store, "findWorkflow">): Promise<string> {
  const slug = slugOf(name);
  for (let number = 1; number <= MAX_SAME; number++) {
    const ref = number === 1 ? slug : `${slug}-${number}`;
    if ((await store.findWorkflow({ accountId, key: ref })) === null) return ref;
  }
  throw new Error(`no ref is free for the name ${name}`);
}
