import type { Api } from "./api.ts";
import { asRecord, asRecords, type JsonRecord } from "./json.ts";

/** How a list is asked for in pages. */
export interface Paging {
  /** Items of one page; one with fewer is the last. */
  readonly size: number;
  /** The parameter that says where a page begins. */
  readonly parameter: string;
  /** Where the first page begins. */
  readonly first: number;
}

const BY_OFFSET: Paging = { size: 100, parameter: "offset", first: 0 };

/** All items of a list, page after page; the path may have a query. */
export async function readAll(
  api: Api,
  path: string,
  { size, parameter, first }: Paging = BY_OFFSET,
): Promise<readonly JsonRecord[]> {
  const items: JsonRecord[] = [];
  const begun = `${path}${path.includes("?") ? "&" : "?"}limit=${size}&${parameter}=`;
  for (;;) {
    const page = asRecords(asRecord(await api.call(`${begun}${first + items.length}`))["data"]);
    items.push(...page);
    if (page.length < size) return items;
  }
}
