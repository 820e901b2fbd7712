import { type ErrorRecord, mapStack } from "../../runtime/index.ts";
import type { Store, Version } from "../store/store.ts";

/** The error of a script with the author's own file, line and column instead of those of the bundle. */
export async function locateError(error: ErrorRecord, version: Version, store: Store): Promise<ErrorRecord> {
  const { stack, ...details } = error.details;
  if (typeof stack !== "string") return error;
  const code = await store.versionCode({ accountId: version.accountId, versionId: version.id });
  if (code === null) return { ...error, details };
  const mapped = mapStack(code.sourceMap, stack, `weft:${version.bundleHash}`);
  return { ...error, details: { ...details, stack: mapped.stack, ...mapped.frame } };
}
