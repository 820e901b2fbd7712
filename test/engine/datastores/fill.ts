import { Readable } from "node:stream";
import type { DatastoreDefinition, ShownImport } from "../../../src/engine/datastores/datastore-service.ts";
import type { TestCore } from "../../support/core.ts";

/** Records of a datastore of words. */
export interface Word {
  readonly id: string;
  readonly text: string;
}

/** Begins an import of JSON lines. */
export async function beginFill(
  { datastores, accountId }: TestCore,
  key: string,
  records: readonly object[],
  definition: DatastoreDefinition | null = { textFields: ["text"] },
): Promise<ShownImport> {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join("");
  const { signal } = new AbortController();
  const staged = await datastores.stage({ accountId, body: Readable.from([lines]), length: null, signal });
  return datastores.addImport(staged, { accountId, key, format: "jsonl", options: {}, definition, creates: true });
}

/** Replaces the records of a datastore; rejects when that fails. */
export async function fill(...args: Parameters<typeof beginFill>): Promise<ShownImport> {
  const [{ datastores, accountId }, key] = args;
  const { id: importId } = await beginFill(...args);
  const done = await datastores.importEnd({ accountId, key, importId });
  if (done.state.status !== "complete") throw new Error(`the import is ${JSON.stringify(done.state)}`);
  return done;
}

/** `count` words, each with the same prefix. */
export const words = (prefix: string, count: number): readonly Word[] =>
  Array.from({ length: count }, (_, n) => ({ id: String(n), text: `${prefix} ${n}` }));
