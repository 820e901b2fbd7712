import { createHmac, hash, randomBytes } from "node:crypto";
import { canonical } from "./canonical.ts";

/** Everything that a result may depend on; session and request ids, and whether the caller streams, are not among it. */
export interface CacheKeyParts {
  /** Immutable: stands for the bundle and the accessories, too. */
  readonly versionId: string;
  readonly envRevision: number;
  /** Revisions of the datastores that it reads, as a text; absent = it reads none. */
  readonly datastores?: string;
  readonly input: unknown;
  readonly messages: readonly unknown[];
  readonly params: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Stands for the stored secrets that it has; absent or empty = none. */
  readonly stored?: string;
}

// Never stored: whoever reads the database cannot try out secrets against the keys in it.
const processKey = randomBytes(32);

function secretsMark(secrets: CacheKeyParts["secrets"]): string {
  for (const _name in secrets) return createHmac("sha256", processKey).update(canonical(secrets)).digest("base64url");
  return "";
}

/** Key of a result: SHA-256 (base64url) of the parts. With secrets it is worth something in this process only. */
export function cacheKey(parts: CacheKeyParts): string {
  const { versionId, envRevision, datastores = "", input, messages, params, metadata, secrets, stored = "" } = parts;
  const { stream: _stream, ...asked } = params;
  const head = `${versionId}\n${envRevision}\n${secretsMark(secrets)}${stored === "" ? "" : `:${stored}`}\n${datastores === "" ? "" : `${datastores}\n`}`;
  const body = `${canonical(input)}\n${canonical(messages)}\n${canonical(asked)}\n${canonical(metadata)}`;
  return hash("sha256", head + body, "base64url");
}
