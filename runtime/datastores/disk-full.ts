import { fail } from "../errors.ts";

/** SQLite's own number for a disk without room. */
const SQLITE_FULL = 13;

/** A full disk, whoever met it, as OVERLOADED: it is the operator's to solve, and the sender may try again. Others as they are. */
export function toDiskError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (code !== "ENOSPC" && code !== "EDQUOT" && errcode !== SQLITE_FULL) return error;
  return fail("OVERLOADED", { message: "datastores: the disk is full; nothing was changed" }, error);
}
