import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { fail } from "../../runtime/index.ts";
import type { ExecutionFilter, ListedExecution, ListPosition, Store } from "../store/store.ts";

/** Which runs a caller wants to see. */
export interface RunQuery {
  readonly accountId: string;
  /** Workflow by ref, number or UUID; null = all. */
  readonly ref: string | null;
  readonly filter: Omit<ExecutionFilter, "workflowId">;
  readonly limit: number;
  /** Rows to leave out; only without a cursor and for filters that an index answers alone. */
  readonly offset: number;
  /** `next` of the page before; null for the first page. */
  readonly cursor: string | null;
}

/** One page of runs. */
export interface RunPage {
  readonly items: readonly ListedExecution[];
  /** Null where counting would mean looking at every run. */
  readonly total: number | null;
  /** Opaque and signed: good for the same account and the same filter, also after a restart. Null at the end. */
  readonly next: string | null;
}

/** Largest offset, in rows: what is further away is reached with the cursor. */
export const MAX_OFFSET = 100_000;

const KEY_SETTING = "cursor_key";
const KEY_BYTES = 32;
const MARK_BYTES = 16;
const CURSOR = /^([\w-]{1,100})\.([\w-]{22})$/;
/** Members of a filter that an index answers alone, so that rows can be skipped without looking at them. */
const SKIPPABLE: ReadonlySet<string> = new Set(["workflowId", "statuses", "createdFrom", "createdBefore"]);

const refuseCursor = () =>
  fail("INVALID_REQUEST", { message: "cursor: is not one that this list gave; begin without it", param: "cursor" });

/** Writes and reads cursors of one list: an account's, under one filter. */
class Cursors {
  readonly #key: Buffer;
  readonly #list: string;

  constructor(key: Buffer, accountId: string, filter: ExecutionFilter) {
    this.#key = key;
    const members = Object.entries(filter).sort(([a], [b]) => (a < b ? -1 : 1));
    this.#list = JSON.stringify([accountId, members]);
  }

  write({ key, number }: ListPosition): string {
    const place = Buffer.from(JSON.stringify([key, number])).toString("base64url");
    return `${place}.${this.#markOf(place).toString("base64url")}`;
  }

  read(cursor: string): ListPosition {
    const [, place = "", mark = ""] = CURSOR.exec(cursor) ?? [];
    const isOurs = place !== "" && timingSafeEqual(this.#markOf(place), Buffer.from(mark, "base64url"));
    if (!isOurs) throw refuseCursor();
    const [key, number] = JSON.parse(Buffer.from(place, "base64url").toString()) as [number, number];
    return { key, number };
  }

  #markOf(place: string): Buffer {
    return createHmac("sha256", this.#key).update(`${place}\n${this.#list}`).digest().subarray(0, MARK_BYTES);
  }
}

async function loadKey(store: Store): Promise<Buffer> {
  const stored = await store.readSetting({ name: KEY_SETTING });
  if (stored !== null) return Buffer.from(stored, "base64url");
  const key = randomBytes(KEY_BYTES);
  await store.writeSetting({ name: KEY_SETTING, value: key.toString("base64url") });
  return key;
}

function checkOffset({ offset, cursor, filter }: RunQuery): void {
  if (offset === 0) return;
  const refuse = (message: string) => fail("INVALID_REQUEST", { message, param: "offset" });
  if (offset > MAX_OFFSET) throw refuse(`offset: ${offset} is over ${MAX_OFFSET}; go on with the cursor instead`);
  if (cursor !== null) throw refuse("offset: cannot be combined with a cursor");
  const other = Object.keys(filter).find((name) => !SKIPPABLE.has(name));
  if (other !== undefined) throw refuse("offset: works with workflow, status and created_* only; use the cursor");
}

/** Makes the list of runs; its cursors are signed with a key kept in the store. */
export function createRunList(store: Store): (query: RunQuery) => Promise<RunPage> {
  let key: Promise<Buffer> | null = null;
  const keyOf = () => {
    key ??= loadKey(store).catch((error: unknown) => {
      key = null;
      throw error;
    });
    return key;
  };
  return async (query) => {
    const { accountId, ref, limit, offset, cursor } = query;
    checkOffset(query);
    const workflow = ref === null ? null : await store.findWorkflow({ accountId, key: ref });
    if (ref !== null && workflow === null) throw fail("WORKFLOW_NOT_FOUND", { ref });
    const filter = workflow === null ? query.filter : { ...query.filter, workflowId: workflow.id };
    const cursors = new Cursors(await keyOf(), accountId, filter);
    const after = cursor === null ? null : cursors.read(cursor);
    const page = await store.listExecutions({ accountId, filter, limit, offset, after });
    return { items: page.items, total: page.total, next: page.next === null ? null : cursors.write(page.next) };
  };
}
