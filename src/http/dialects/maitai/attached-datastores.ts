import { fromRecord } from "../../../../runtime/index.ts";
import type { Staged } from "../../../engine/datastores/datastore-service.ts";
import type { Caller } from "../../../engine/types.ts";
import { pieces } from "../../incoming.ts";
import type { DialectDeps, MultipartFile, Reply } from "../dialect.ts";
import { formatOf } from "./datastore-body.ts";
import { goneSignal } from "./gone-signal.ts";

/** Parts of an upload that hold the records of a datastore. */
export const DATASTORE_PART = "datastore_";

interface Part {
  readonly name: string;
  readonly filename: string;
  readonly staged: Staged;
}

/** The datastores that come with one upload. */
export interface AttachedDatastores {
  /** Takes a part to the disk; what it gives stands for the part in the form. */
  take(part: MultipartFile): Promise<object>;
  /** Imports what was taken, and returns the names once all are complete; throws the error of one that fails. */
  importAll(): Promise<readonly string[]>;
}

/** Makes them for one upload; what is not imported by the time the answer is out is thrown away. */
export function createAttached({ datastores }: DialectDeps, caller: Caller, reply: Reply): AttachedDatastores {
  const { id: accountId, key: apiKey } = caller;
  const payer = apiKey.name;
  const signal = goneSignal(reply);
  let parts: readonly Part[] = [];
  reply.raw.once("close", () => {
    for (const { staged } of parts) datastores.discard(staged).catch(() => undefined);
  });
  return {
    async take({ fieldname, filename, file }) {
      formatOf(filename, fieldname);
      const staged = await datastores.stage({ accountId, body: pieces(file), length: null, signal });
      parts = [...parts, { name: fieldname.slice(DATASTORE_PART.length), filename, staged }];
      return { filename };
    },
    async importAll() {
      const mine = parts;
      parts = [];
      const ends = mine.map(async ({ name: key, filename, staged }) => {
        const format = formatOf(filename, DATASTORE_PART + key);
        const asked = { accountId, key, payer, format, options: {}, definition: null, creates: true };
        const { id: importId } = await datastores.addImport(staged, asked);
        const { state } = await datastores.importEnd({ accountId, key, importId });
        if (!("error" in state)) return key;
        const { message, ...error } = state.error;
        throw fromRecord({ ...error, message: `${DATASTORE_PART}${key}: ${message}` });
      });
      const results = await Promise.allSettled(ends);
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
      return mine.map(({ name }) => name);
    },
  };
}
