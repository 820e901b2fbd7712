import type { IncomingHttpHeaders } from "node:http";
import { fail } from "../../../../runtime/index.ts";

/** Longest key, characters. */
const MAX_KEY = 255;

/** The `Idempotency-Key` of a request that starts an execution; null when there is none, INVALID_REQUEST for one that is too long. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | null {
  const header = headers["idempotency-key"];
  if (header === undefined || header === "") return null;
  const { length } = header;
  if (typeof header === "string" && length <= MAX_KEY) return header;
  const message = `Idempotency-Key: ${length} characters, over ${MAX_KEY}`;
  throw fail("INVALID_REQUEST", { message, code: "invalid_request", param: "Idempotency-Key" });
}

/** What the documentation says of a route that takes one. */
export const KEY_DOCS =
  "With an `Idempotency-Key` header the same request again answers with the run that the first one started; another request with the key gets 409.";
